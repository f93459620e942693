// The side panel: all there is to say of what was chosen.

const panel = document.getElementById("panel");

function element(tag, attributes = {}, ...inner) {
  const made = document.createElement(tag);
  for (const [name, given] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", given);
    else made.setAttribute(name, given);
  }
  made.append(...inner); // texts stay texts
  return made;
}

function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}

function describe(what, node = "") {
  panel.replaceChildren();
  panel.toggleAttribute("hidden", !what);
  if (!what) return;
  const { record } = what;
  panel.append(
    button("×", () => choose(null), { class: "close", "aria-label": "Close the panel" }),
    what.end ? element("p", { class: "crumbs" }, what.end) : crumbs(what),
    element("h2", {}, what.end ? record.name : record.box.title),
  );
  if (!what.end) panel.append(...facts(what), actions(what));
  const rows = what.end
    ? [
        ["Shape", shapeOf(typeNumber(what))],
        ["Type", dtypeOf(typeNumber(what))],
      ]
    : costs(what);
  panel.append(table(rows));
  if (what.end) panel.append(...specLines(record.about));
  else if (what.nodes.length) panel.append(...flows(what), ...sections(what));
  panel.querySelector(`[data-node="${CSS.escape(node)}"]`)?.scrollIntoView({ block: "nearest" });
}

const typeNumber = (end) => (end.end === "input" ? end.record.type : value(root.graph, end.record.edge));

function crumbs(item) {
  const list = element("ol", { class: "crumbs", "aria-label": "Path" });
  for (const around of item.ancestors.filter((each) => !each.inPlace)) {
    list.append(
      element(
        "li",
        {},
        button(around.nodes[0], () => choose(around, { bring: true })),
      ),
    );
  }
  list.append(element("li", { "aria-current": "true" }, item.record.name));
  return list;
}

function facts(item) {
  const { form, turns, box } = item.record,
    told = [];
  if (form === "repeat" || form === "run")
    told.push(`${turns} turns${form === "run" ? ", equal in all" : ""}`);
  if (form === "chain") told.push(`${item.nodes.length} layers that read as one`);
  if (form === "stretch") told.push(`${item.nodes.length} nodes in a row`);
  if (box.mode) told.push(`in ${box.mode} only`);
  if (box.again) told.push("applies the weights of another node again");
  if (item.record.same) told.push("the same weights each time");
  return told.length ? [element("p", { class: "facts" }, told.join(" · "))] : [];
}

function actions(item) {
  const row = element("p", { class: "actions" });
  if (item.openable && !item.open) row.append(button("Open", () => toggle(item, true)));
  else if (item.openable) row.append(button("Close", () => toggle(item, false)));
  if (!item.open && item.parent && item.parent.inPlace) {
    const what = item.parent.record.form === "repeat" ? "Fold the repetition" : "Fold these nodes";
    row.append(button(what, () => toggle(item.parent, false)));
  }
  if (!item.shown) row.append(button("Show", () => choose(item, { bring: true })));
  return row;
}

function costs(item) {
  const [params, macs, memory] = item.record.box.cost,
    rows = [];
  if (item.nodes.length)
    rows.push(
      ["Output", typeOf(item)],
      ["Type", dtypeOf(item.scope.graph.nodes.get(item.nodes.at(-1)).type)],
    );
  rows.push(["Parameters", params.toLocaleString("en")], ["MACs", macs.toLocaleString("en")]);
  if (memory) rows.push(["Activations", short(memory, "B").replace(/\d(?=\D*$)/, "$& ")]);
  return rows;
}

function table(rows, caption = "") {
  const made = element("table");
  if (caption) made.append(element("caption", {}, caption));
  for (const [name, text, note] of rows) {
    const cell = element("td", note ? { class: "note", title: note } : {}, text);
    made.append(element("tr", {}, element("th", { scope: "row" }, name), cell));
  }
  return made;
}

// Where its operands come from, and where its value goes, as far as that is visible.
function flows(item) {
  const made = [],
    rows = { From: [], To: [] };
  for (const { tail, head } of scene.wires) {
    const [from, to] = [within(tail, item), within(head, item)];
    if (from === to) continue;
    const other = from ? head : tail;
    if (!rows[from ? "To" : "From"].includes(other)) rows[from ? "To" : "From"].push(other);
  }
  for (const [word, ends] of Object.entries(rows)) {
    if (!ends.length) continue;
    const list = element("ul", { class: "flow" });
    for (const end of ends) {
      const near = item.scope.path && end.path?.startsWith(`${item.scope.path}.`);
      const path = near ? end.path.slice(item.scope.path.length + 1) : end.path;
      const label = end.end ? `${end.end} ${end.record.name}` : path || end.record.form;
      list.append(
        element(
          "li",
          {},
          button(label, () => choose(end, { bring: true })),
          ` ${typeOfEnd(end)}`,
        ),
      );
    }
    made.push(element("h3", {}, word), list);
  }
  return made;
}

const typeOfEnd = (end) => (end.end || end.nodes.length ? typeOf(end) : "");

// Of each node of an item what the spec says, with its lines.
function sections(item) {
  const { form, turns, scope } = item.record,
    made = [];
  const several = turns > 1 || form === "stretch",
    chain = form === "chain";
  const nodes = (several ? item.nodes.slice(0, 1) : item.nodes).map((name) => [
    name,
    item.scope.graph.nodes.get(name).about,
  ]);
  for (const [name, about] of nodes) {
    if (chain) made.push(element("h3", { "data-node": name }, `${name}: ${about.op}`));
    if (several) made.push(element("h3", {}, `${form === "stretch" ? "The first" : "Turn 1"}: ${name}`));
    if (about.doc) made.push(element("p", { class: "doc" }, about.doc));
    if (about.args.length)
      made.push(argumentsOf(about.args, chain ? "" : "Arguments", "as its input determines"));
  }
  const inner = scope === undefined ? null : item.graph.about;
  if (inner?.doc) made.push(element("p", { class: "doc" }, inner.doc));
  if (inner?.args.length) made.push(argumentsOf(inner.args, `Params of the ${inner.kind}`, "derived by let"));
  made.push(...specLines(...nodes.map(([, about]) => about.at)));
  const [, at] = nodes[0][1].at ?? [],
    from = inner && heading(inner.at);
  if (from && String(from) !== String(nodes[0][1].at) && from[1] !== at) made.push(...specLines(from));
  return made;
}

// Where a block is named: its text begins a line further in.
function heading(place) {
  if (!place) return null;
  const lines = linesOf(place[0]),
    own = inward(lines[place[1] - 1] ?? "");
  let at = place[1] - 1;
  while (at > 0 && (!lines[at - 1].trim() || inward(lines[at - 1]) >= own)) at -= 1;
  return own ? [place[0], Math.max(at, 1)] : place;
}

function argumentsOf(args, caption, note) {
  return table(
    args.map(([name, text, found]) => [name, text, found ? note : ""]),
    caption,
  );
}

const inward = (line) => line.length - line.trimStart().length;
const linesOf = (number) => (data.files[number].lines ??= data.files[number].text.split(/\r?\n/));

// Where what begins in a line ends: what is further in belongs to it.
function endOf(lines, first) {
  const start = lines[first - 1] ?? "";
  let end = first;
  while (end < lines.length && end - first < 60) {
    if (lines[end].trim() && inward(lines[end]) < inward(start) + 1) break;
    end += 1;
  }
  while (end > first && !lines[end - 1].trim()) end -= 1;
  return end;
}

// The lines of the spec that begin at some places, as one where they lie together.
function specLines(...places) {
  const [place, ...others] = places.filter(Boolean);
  if (!place) return [];
  const [number, first] = place,
    file = data.files[number],
    lines = linesOf(number);
  let end = endOf(lines, first);
  const apart = [];
  for (const other of others) {
    const [same, near] = [other[0] === number, other[1] >= first && other[1] <= end + 3];
    if (same && near) end = Math.max(end, endOf(lines, other[1]));
    else apart.push(other);
  }
  const where = `${file.name}:${first}`;
  const head = file.link
    ? element("a", { href: file.link.replace("{line}", first), target: "_blank", rel: "noopener" }, where)
    : where;
  const code = element("pre", { tabindex: "0", "aria-label": `Lines of ${file.name}` });
  const shown = lines.slice(first - 1, end),
    width = String(end).length;
  const common = Math.min(...shown.filter((line) => line.trim()).map(inward));
  for (const [at, line] of shown.entries()) {
    code.append(
      element("span", { class: "number" }, `${String(first + at).padStart(width)}  `),
      `${line.slice(common)}\n`,
    );
  }
  return [element("h3", {}, head), code, ...specLines(...apart)];
}
