// The DOT text of what is visible, from pieces that Python wrote: the same that dot.py writes.
// Numbers, letters and colours that depend on what else is visible are filled in here.

const AMOUNT = { params: 0, macs: 1, memory: 2 }[data.colorBy];

function swap(text, from, to) {
  return text.split(from).join(to);
}
const asLabel = (text) => texts.get(text)?.[0] ?? text;
const asAttribute = (text) => texts.get(text)?.[1] ?? text;
const asPath = (path) => path.split(".").map(asAttribute).join(".");

// A text where `$` is the place of a scope that stands in several.
function placed(text, scope) {
  const base = scope.base;
  return base ? text.replace(/^\$(?=\.|$)/gm, () => asPath(base)) : text;
}

// A number with three digits and an SI suffix.
function short(number, unit = "") {
  let value = number,
    at = 0;
  while (value >= 999.5 && at < 5) [value, at] = [value / 1000, at + 1];
  if (!at) return number + unit;
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(digits) + ["", "k", "M", "G", "T", "P"][at] + unit;
}

class Composer {
  constructor(direction) {
    const leaves = [...root.leaves()];
    this.direction = direction;
    this.ends = [...inputs, ...leaves, ...outputs];
    this.numbers = new Map(this.ends.map((end, number) => [end, number]));
    this.badges = badges();
    this.most =
      AMOUNT === undefined
        ? 0
        : leaves.reduce((most, leaf) => Math.max(most, leaf.record.box.cost[AMOUNT]), 0);
    this.wires = [...wires()];
    this.into = this.entering();
    this.widths = new Map(); // of boxes
    this.clusters = new Map(); // by id, the open items that have a frame
    this.lines = [];
    this.modes = false;
  }

  text() {
    this.fill(root, 0, "\t");
    for (const end of [...inputs, ...outputs]) this.put(this.id(end), this.pill(end), "\t");
    const links = [...this.links()];
    let head = data.head[this.direction];
    this.straight = Math.max(this.ends.length, links.length) > data.curves;
    if (this.straight) {
      head = head.replace("splines=true", "splines=line");
    }
    head = head.replace("</TABLE>>", () => this.legend(links) + "</TABLE>>");
    for (const { tail, head: to, text } of links) this.lines.push(edgeLine(tail, to, text));
    return `${head}${this.lines.join("")}}\n`;
  }

  id(end) {
    return `n${this.numbers.get(end)}`;
  }
  frame(item) {
    return `cluster_${this.id(item.first())}_${item.level}`;
  }
  put(id, text, tabs) {
    this.lines.push(`${tabs}${id} [${text}]\n`);
  }

  // Its own, or that of a scope that it is all of.
  badge(item) {
    const { of } = this.badges,
      outer = item.outermost;
    while (item !== outer && !of.has(item)) item = item.scope;
    return of.get(item) ?? "";
  }

  // Of each frame the edges that come into it from outside.
  entering() {
    const found = new Map();
    const pairs = this.badges.pairs.map(([one, head, style]) => ({ tail: one.first() ?? head, head, style }));
    for (const link of [...this.wires, ...pairs]) {
      for (let scope = link.head.scope; scope; scope = scope.scope) {
        if (!framed(scope) || within(link.tail, scope)) continue;
        if (!found.has(scope)) found.set(scope, []);
        found.get(scope).push(link);
      }
    }
    return found;
  }

  // What was drawn for a badge, whatever its letter.
  drawn(record, badge) {
    const letter = LETTERED.exec(badge)?.[0] ?? LETTER;
    const own = (part) => {
      if (typeof part === "string") return swap(part, `>${LETTER}`, `>${letter}`);
      return Array.isArray(part) ? part.map(own) : part;
    };
    return record.drawn[badge.replace(LETTERED, LETTER)].map(own);
  }

  fill(scope, depth, tabs, frames = [...framesIn(scope)]) {
    for (const item of scope.items) {
      if (!item.open) this.box(item, tabs);
      else if (!item.first()) continue;
      else if (item.items.length === 1) this.fill(item, depth, tabs, frames);
      else this.cluster(item, depth + 1, tabs, frames);
    }
  }

  cluster(item, depth, tabs, frames) {
    const id = this.frame(item),
      { cluster } = item.record;
    const at = this.lines.push("") - 1;
    this.clusters.set(id, item);
    this.fill(item, depth, tabs + "\t");
    const [wide, one, lines] = this.drawn(cluster, this.badge(item));
    const tint = data.tints[Math.min(depth, data.tints.length) - 1];
    const room = this.room(item) / 2,
      columns = Math.max(Math.floor(room / data.column), 1);
    let text = wide < room ? one : lines.findLast(([least]) => least <= columns)[1];
    text = text.replace(`fillcolor="${data.tints[0]}"`, `fillcolor="${tint}"`);
    text = text.replace('tooltip="$"', () => `tooltip="${placed(cluster.path, item.scope)}"`);
    text = text.replace("> labeljust=l labelloc=t ", `> ${this.place(item, frames)} `);
    this.lines[at] = `${tabs}subgraph ${id} {\n${tabs}\t${text}\n`;
    this.lines.push(`${tabs}}\n`);
    this.modes ||= Boolean(cluster.mode);
  }

  // How wide the box is that edges come into from above; see dot.py.
  room(item) {
    const into = (this.into.get(item) ?? []).map((link) => link.head);
    const entered = new Set(into.filter((head) => head.record.box.form === "card"));
    const width = (leaf) => this.widths.get(leaf);
    if (entered.size > 1) return Math.min(...[...entered].map(width));
    return [...item.leaves()].map(width).reduce((most, one) => Math.max(most, one));
  }

  // Where the name of a frame stands, out of the way of what comes in.
  place(item, frames) {
    const into = this.into.get(item) ?? [];
    const right = into.some((link) => link.style === "case") && frames.indexOf(item) * 2 >= frames.length;
    const below = into.some((link) => link.style === "control" && frameOf(link.head) === item);
    return `labeljust=${right || this.direction === "LR" ? "r" : "l"} labelloc=${below ? "b" : "t"}`;
  }

  box(item, tabs) {
    const { box } = item.record;
    let [text, width] = this.drawn(box, this.badge(item));
    if (this.most && box.form === "card") {
      const [hue, ink] = heat(box.cost[AMOUNT] / this.most);
      if (!box.again) text = swap(text, ` COLOR="${data.hues[box.kind]}"`, ` COLOR="${data.line}"`);
      text = swap(text, `"${data.hues[box.kind]}"`, `"${hue}"`);
      text = text.replace(/"(#000000|#fffffe)"/g, `"${ink}"`);
    }
    text = text.replace('group="bus $"', () => `group="bus ${this.id(item.scope.first())}"`);
    text = text.replace('tooltip="$"', () => `tooltip="${placed(box.tip, item.scope)}"`);
    this.put(this.id(item), text, tabs);
    this.modes ||= Boolean(box.mode);
    this.widths.set(item, width);
  }

  pill({ record }) {
    return record.drawn[0].replace('tooltip="$"', () => `tooltip="${record.tip}"`);
  }

  *links() {
    const every = this.wires,
      before = new Map(),
      told = new Set();
    const number = (end) => this.numbers.get(end);
    for (const wire of every) {
      if (!before.has(wire.head)) before.set(wire.head, new Set());
      before.get(wire.head).add(shapeOf(wire.type));
    }
    const main = trunk(
      every.filter((wire) => !chooses(wire)).map(({ tail, head }) => [number(tail), number(head)]),
    );
    for (const wire of every) {
      const { tail, head, style } = wire,
        form = head.record.box?.form ?? "card";
      const straight = main.has(`${number(tail)} ${number(head)}`) && style === "data";
      const label = wire.case ? asLabel(wire.case) : changed(wire, before, told);
      const tip = shapeOf(wire.type, asAttribute);
      const drawn = swap(data.edges[`${style} ${form}${straight ? " main" : ""}`], '"$"', `"${tip}"`);
      const text = [label && `label=<&#160;${label}&#160;>`, drawn].filter(Boolean).join(" ");
      yield { tail: this.id(tail), head: this.id(head), style, text };
    }
    for (const [one, other, style] of this.badges.pairs) {
      const framed = one.open && one.items.length > 1;
      let text = data.edges[`${style} card`];
      if (framed) text = text.replace(" penwidth", ` ltail=${this.frame(one)} penwidth`);
      yield { tail: this.id(one.first() ?? other), head: this.id(other), style, text };
    }
  }

  legend(links) {
    const { kinds, marks, gap, row, scale, most } = data.legend;
    const shown = new Set(
      this.ends.filter((end) => end.record.box?.form === "card").map((end) => end.record.box.kind),
    );
    const styles = new Set(links.map((link) => link.style));
    const told = kinds
      ? Object.keys(kinds)
          .filter((kind) => shown.has(kind))
          .map((k) => kinds[k])
      : [scale + most.replace("$", short(this.most, data.colorBy === "memory" ? "B" : ""))];
    told.push(...["bus", "case", "shared", "tied"].filter((s) => styles.has(s)).map((s) => marks[s]));
    if (this.modes) told.push(marks.mode);
    let out = "";
    for (let from = 0; from < told.length; from += row) {
      out += `<TR><TD ALIGN="LEFT">${told.slice(from, from + row).join(gap)}</TD></TR>`;
    }
    return out;
  }
}

// Whether an open item has a frame: one thing needs none, and the whole has none.
const framed = (item) => item.scope !== null && item.open && item.items.length > 1;

function frameOf(item) {
  let scope = item.scope;
  while (scope && !framed(scope)) scope = scope.scope;
  return scope;
}

function* framesIn(scope) {
  for (const item of scope.items) {
    if (!item.open || !item.first()) continue;
    if (framed(item)) yield item;
    else yield* framesIn(item);
  }
}

function within(end, item) {
  for (let at = end; at; at = at.scope) if (at === item) return true;
  return false;
}

const edgeLine = (tail, head, text) => `\t${tail} -> ${head}${text ? ` [${text}]` : ""}\n`;

// The shape, at the first edge that has it, where what is at its tail changed it.
function changed({ tail, head, type }, before, told) {
  if (tail.end || head.end || tail.record.box.form === "bar") return "";
  if (tail.record.form === "call" && tail.nodes.length && tail.node.raw) return "";
  const text = shapeOf(type);
  if (before.get(tail)?.has(text)) return "";
  const key = `${tail.key}\n${text}`;
  if (told.has(key)) return "";
  told.add(key);
  return shapeOf(type, asLabel);
}

// Whether it is one of many ways, of which none is the main one.
const chooses = ({ head, style }) => head.record.form === "join" || style === "case" || style === "control";
