// From the SVG that Graphviz writes to one that can be read, clicked and walked through by keys.

const SVG = "http://www.w3.org/2000/svg";
const XLINK = "http://www.w3.org/1999/xlink";

function svgElement(tag, attributes = {}) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, text] of Object.entries(attributes)) element.setAttribute(name, text);
  return element;
}

function parseSvg(text) {
  return new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
}

// How far the outlines of a group reach: [left, top, right, bottom].
function extent(group) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const add = (x, y) => {
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  };
  for (const shape of group.querySelectorAll("path, polygon, polyline, ellipse")) {
    if (shape.localName === "ellipse") {
      const [cx, cy, rx, ry] = ["cx", "cy", "rx", "ry"].map((n) => Number(shape.getAttribute(n)));
      add(cx - rx, cy - ry);
      add(cx + rx, cy + ry);
      continue;
    }
    const points = shape.getAttribute("points") ?? shape.getAttribute("d");
    for (const [, x, y] of points.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)) add(Number(x), Number(y));
  }
  return [left, top, right, bottom];
}

// What svg.py does: tooltips as titles, and text in the middle of its box whatever the font. Gives
// the groups of nodes, clusters and edges by the ids that they have in the DOT text.
function finish(svg) {
  const found = { nodes: new Map(), clusters: new Map(), edges: [], svg };
  for (const group of svg.querySelectorAll("g.node, g.cluster, g.edge")) {
    const title = group.querySelector(":scope > title"),
      id = title.textContent;
    title.remove();
    const kind = group.getAttribute("class");
    if (kind === "edge") found.edges.push([...id.split("->"), group]);
    else found[`${kind}s`].set(id, group);
    if (kind !== "node") continue;
    const [left, , right] = extent(group);
    for (const text of group.querySelectorAll("text")) {
      text.setAttribute("text-anchor", "middle");
      text.setAttribute("x", ((left + right) / 2).toFixed(2));
    }
  }
  svg.querySelector("g.graph > title")?.remove();
  for (const link of svg.querySelectorAll("a")) {
    const title = svgElement("title");
    title.textContent = link.getAttributeNS(XLINK, "title");
    const group = svgElement("g");
    group.append(title, ...link.childNodes);
    link.replaceWith(group);
  }
  return found;
}

// A picture on the canvas, of what a composer has composed.
class Scene {
  constructor(svg, composer) {
    const { nodes, clusters, edges } = finish(svg);
    this.graph = svg.querySelector("g.graph");
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const shift = /translate\(([-\d.]+)[ ,]([-\d.]+)\)/.exec(this.graph.getAttribute("transform"));
    this.shift = [Number(shift[1]), Number(shift[2])];
    this.graph.removeAttribute("transform");
    this.size = [width, height];
    this.places = new Map(); // by key: what is shown there, its group, and its extent
    for (const end of composer.ends) this.add(end, nodes.get(composer.id(end)));
    for (const [id, item] of composer.clusters) this.add(item, clusters.get(id));
    const ends = new Map(composer.ends.map((end) => [composer.id(end), end]));
    this.edges = edges.map(([tail, head, group]) => ({ tail: ends.get(tail), head: ends.get(head), group }));
    this.wires = composer.wires; // those of them that carry a value
  }

  add(what, group) {
    if (!group) return;
    const [left, top, right, bottom] = extent(group);
    const box = {
      x: left + this.shift[0],
      y: top + this.shift[1],
      width: right - left,
      height: bottom - top,
    };
    this.places.set(what.key, { what, group, box });
    group.classList.add("thing");
    group.dataset.key = what.key;
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "-1");
    group.setAttribute("aria-label", spoken(what));
    const ring = { x: left - 3, y: top - 3, width: right - left + 6, height: bottom - top + 6, rx: 6 };
    group.prepend(svgElement("rect", { class: "ring", ...ring }));
    if (!what.openable) return;
    group.setAttribute("aria-expanded", String(what.open));
    // In a frame it stands at the other side than the name.
    const named = Number(group.querySelector("text")?.getAttribute("x"));
    const aside = what.open && named > (left + right) / 2;
    const x = aside ? left + 10 : right - (what.open ? 10 : 1),
      y = top + (what.open ? 10 : 1);
    const sign = svgElement("g", { class: "sign", transform: `translate(${x} ${y})` });
    sign.append(
      svgElement("circle", { r: 6.5 }),
      svgElement("path", { d: what.open ? "M-3 0H3" : "M-3 0H3M0-3V3" }),
    );
    const title = svgElement("title");
    title.textContent = what.open ? "Close" : "Open";
    sign.append(title);
    group.append(sign);
  }

  // Marks a chosen thing, and the edges that lead to and from it.
  mark(key) {
    for (const element of this.graph.querySelectorAll(".chosen, .lit")) {
      element.classList.remove("chosen", "lit");
    }
    const place = this.places.get(key);
    if (!place) return;
    place.group.classList.add("chosen");
    const inside = (end) => end === place.what || (place.what.open && within(end, place.what));
    for (const { tail, head, group } of this.edges) {
      group.classList.toggle("lit", inside(tail) !== inside(head));
    }
  }
}

// What a screen reader says of a thing.
function spoken(what) {
  const { record } = what;
  if (what.end) return `${what.end} ${record.name}, ${typeOf(what)}`;
  const parts = [`${record.box.title} ${what.path}`];
  if (record.turns > 1) parts.push(`${record.turns} times`);
  if (record.box.cost[0]) parts.push(`${record.box.cost[0].toLocaleString("en")} parameters`);
  if (what.nodes.length) parts.push(`output ${typeOf(what)}`);
  if (what.openable) parts.push(what.open ? "open" : "closed");
  return parts.join(", ");
}

function typeOf(what) {
  if (what.end === "input") return shapeOf(what.record.type);
  if (what.end) return shapeOf(value(root.graph, what.record.edge));
  return shapeOf(what.scope.graph.nodes.get(what.nodes.at(-1)).type);
}
