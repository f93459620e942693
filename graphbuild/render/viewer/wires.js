// The edges between what is visible, through closed, open and absent scopes. Mirrors wires.py.
// An edge is a list: the name of a node or an input of the scope, then which part of its value.

function value(graph, [source, ...select]) {
  const node = graph.nodes.get(source);
  let type = node ? node.type : graph.inputs.get(source);
  for (const index of select) type = data.types[type][index];
  return type;
}

function shapeOf(type, write = (text) => text) {
  const told = data.types[type];
  if (!Array.isArray(told)) return write(told.shape);
  return told.map((part) => shapeOf(part, write)).join(", ") || "nothing";
}

function dtypeOf(type) {
  const told = data.types[type];
  if (!Array.isArray(told)) return told.dtype;
  return [...new Set(told.map(dtypeOf))].join(", ");
}

function* wires() {
  for (const item of root.leaves()) yield* into(item);
  for (const output of outputs) {
    for (const source of sources(root, output.record.edge)) {
      yield { tail: source.end, head: output, type: source.type, style: "data", case: "" };
    }
  }
}

function* into(item) {
  const scope = item.scope,
    form = item.record.form;
  if (form === "router") {
    yield* routed(item, scope);
    return;
  }
  if (form === "join") {
    for (const output of scope.graph.outputs) {
      for (const source of sources(scope, output)) {
        yield { tail: source.end, head: item, type: source.type, style: "data", case: "" };
      }
    }
    return;
  }
  const own = new Set(item.nodes),
    single = form === "call",
    seen = new Set();
  for (const name of item.nodes) {
    const node = scope.graph.nodes.get(name);
    for (const [position, edge] of node.operands.entries()) {
      if (own.has(edge[0])) continue;
      for (const source of sources(scope, edge, item)) {
        if (source.end === item) continue; // through an absent node, all inside of it
        let style = "data";
        if (source.case) style = "case";
        else if (node.routed && position === 0) style = "control";
        else if (single && position === 0 && scope.graph.dense && item.node.joins) style = "bus";
        const key = JSON.stringify([source.end.key, edge.slice(1), style]);
        if (!single && seen.has(key)) continue;
        seen.add(key);
        yield { tail: source.end, head: item, type: source.type, style, case: source.case };
      }
    }
  }
}

// What goes into the place where a routed scope chooses.
function* routed(item, choice) {
  for (const [position, edge] of choice.node.operands.entries()) {
    for (const source of sources(choice.scope, edge, choice)) {
      const style = source.case ? "case" : position === 0 ? "control" : "data";
      yield { tail: source.end, head: item, type: source.type, style, case: source.case };
    }
  }
}

// Where a value comes from that is read inside of an open scope, by the item `through`.
function sources(scope, edge, through = null) {
  const graph = scope.graph,
    node = graph.nodes.get(edge[0]);
  if (!node) return given(scope, edge, through);
  if (node.absent) return node.operands.length ? sources(scope, node.operands[0], through) : [];
  const item = scope.holder(edge[0]);
  if (!item.open) return [{ end: item, type: value(graph, edge), case: "" }];
  const inner = item.graph;
  if (inner.routing) return [{ end: item.items.at(-1), type: value(graph, edge), case: "" }];
  let found = inner.outputs,
    select = edge.slice(1);
  if (!inner.single && select.length) [found, select] = [[found[select[0]]], select.slice(1)];
  return found.flatMap((output) => sources(item, [...output, ...select]));
}

// Where an input of an open scope comes from.
function given(scope, edge, through) {
  const graph = scope.graph,
    position = graph.names.indexOf(edge[0]);
  if (!scope.scope) return [{ end: inputs[position], type: value(graph, edge), case: "" }];
  if (graph.routing) {
    const name = through ? through.nodes[0] : edge[0];
    return [{ end: scope.items.at(-2), type: value(graph, edge), case: name }];
  }
  const operands = scope.node.operands;
  if (position >= operands.length) return [];
  return sources(scope.scope, [...operands[position], ...edge.slice(1)], scope);
}

// Of each node's edges the one in that the longest way comes by, if it is also such a one out.
// Mirrors trunk.py; the answer is a set of `tail head`, by number.
function trunk(pairs) {
  const before = new Map(),
    after = new Map();
  const push = (map, key, value) => map.get(key)?.push(value) ?? map.set(key, [value]);
  for (const [tail, head] of pairs) {
    push(before, head, tail);
    push(after, tail, head);
    if (!before.has(tail)) before.set(tail, []);
  }
  const order = [],
    left = new Map([...before].map(([node, tails]) => [node, tails.length]));
  const ready = [...left].filter(([, count]) => !count).map(([node]) => node);
  while (ready.length) {
    const node = ready.pop();
    order.push(node);
    for (const head of after.get(node) ?? []) {
      left.set(head, left.get(head) - 1);
      if (!left.get(head)) ready.push(head);
    }
  }
  if (order.length < before.size) return new Set(pairs.map((pair) => pair.join(" ")));
  const lengths = (nodes, edges) => {
    const found = new Map();
    for (const node of nodes) {
      const behind = (edges.get(node) ?? []).map((other) => found.get(other));
      found.set(node, 1 + behind.reduce((most, one) => Math.max(most, one), 0));
    }
    return found;
  };
  const depth = lengths(order, before),
    height = lengths([...order].reverse(), after);
  const best = (nodes, by) => nodes.reduce((a, b) => (by.get(b) > by.get(a) ? b : a));
  const chosenOut = new Set([...after].map(([tail, heads]) => `${tail} ${best(heads, height)}`));
  const chosenIn = [...before]
    .filter(([, tails]) => tails.length)
    .map(([head, tails]) => `${best(tails, depth)} ${head}`);
  return new Set(chosenIn.filter((pair) => chosenOut.has(pair)));
}
