// What is there to be seen, and which of it is open. Mirrors fold.py; nothing here draws.

let epoch = 0; // counts what is opened and closed, for what is kept from one time to the next

class Item {
  // `scope`: the open item that it stands in, null for the whole. `parent`: what it comes out of
  // when that is opened: the scope, or a repetition that its turns stand in the place of.
  constructor(record, scope, parent) {
    this.record = record;
    this.scope = scope;
    this.parent = parent;
    this.nodes = record.nodes;
    const prefix = scope && scope.path ? scope.path + "." : "";
    this.path = !scope ? "" : record.nodes.length ? prefix + record.nodes[0] : scope.path;
    const plain = record.form === "call" || record.form === "run" || record.form === "chain";
    this.key = plain ? this.path : `${this.path} ${record.form}`;
    this.level = !scope ? 0 : scope.level + 1;
    this.open = !scope || Boolean(record.hollow) || openAtFirst.has(this.key);
  }
  get inPlace() {
    return Boolean(this.record.parts);
  }
  get openable() {
    return !this.record.hollow && (this.inPlace || this.record.scope !== undefined);
  }
  get template() {
    return data.scopes[this.record.scope];
  }
  get graph() {
    return graphs[this.template.graph];
  }
  get node() {
    return this.scope.graph.nodes.get(this.nodes[0]);
  }
  // Where the texts of what is inside say `$`.
  get base() {
    return this.template.anywhere ? this.path : this.scope ? this.scope.base : "";
  }
  get children() {
    if (!this.kept) {
      const { parts, scope } = this.record;
      if (parts) this.kept = parts.map((record) => new Item(record, this.scope, this));
      else if (scope === undefined) this.kept = [];
      else this.kept = this.template.items.map((record) => new Item(record, this, this));
    }
    return this.kept;
  }
  // What stands in a scope now.
  get items() {
    if (this.listed !== epoch) {
      this.listed = epoch;
      this.standing = this.children.flatMap((child) => (child.inPlace && child.open ? child.items : [child]));
    }
    return this.standing;
  }
  // Which item stands for a node of the scope.
  holder(name) {
    if (this.held !== epoch) {
      this.held = epoch;
      this.holding = new Map();
      for (const item of this.items) for (const node of item.nodes) this.holding.set(node, item);
    }
    return this.holding.get(name);
  }
  // The visible ones, in the order of the file.
  *leaves() {
    if (!this.open) yield this;
    else for (const item of this.items) yield* item.leaves();
  }
  first() {
    for (const leaf of this.leaves()) return leaf;
    return null;
  }
  // The scope that an item is all of, and whose name it so takes; else the item itself.
  get outermost() {
    let item = this,
      scope = this.scope;
    while (scope && scope.scope && scope.items.length === 1) [item, scope] = [scope, scope.scope];
    return item;
  }
  get ancestors() {
    const found = [];
    for (let item = this.parent; item && item.parent; item = item.parent) found.unshift(item);
    return found;
  }
  get shown() {
    for (let item = this.parent; item; item = item.parent) if (!item.open) return false;
    return true;
  }
}

const openAtFirst = new Set(data.open);
const graphs = data.graphs.map((graph) => ({
  ...graph,
  inputs: new Map(graph.inputs), // their types
  names: graph.inputs.map(([name]) => name),
  nodes: new Map(Object.entries(graph.nodes)), // a name may be that of a property of objects
}));
const texts = new Map(Object.entries(data.texts));
// No path begins with a space.
const inputs = data.inputs.map((record) => ({ record, end: "input", key: ` input ${record.name}` }));
const outputs = data.outputs.map((record, at) => ({ record, end: "output", key: ` output ${at}` }));
const root = new Item({ form: "call", nodes: [], scope: data.whole }, null, null);

function setOpen(item, open) {
  if (!item.openable || item.open === open) return;
  item.open = open;
  epoch += 1;
}

// Opens what was closed; where that shows one thing alone, that too, for something is to be seen.
function openItem(item) {
  setOpen(item, true);
  for (let at = item; ;) {
    const inner = at.items;
    const all = inner.length === 1 && inner[0] !== at && inner[0].openable && !inner[0].open;
    if (!all) return;
    at = inner[0];
    setOpen(at, true);
  }
}

// Closes an open item, with what has no frame of its own because the item is all that is around it.
function closeItem(item) {
  setOpen(item.outermost, false);
}

function reveal(item) {
  for (const around of item.ancestors) setOpen(around, true);
}

// Every item that can be made visible, in the order of the file.
function* everyItem(item = root) {
  for (const child of item.children) {
    if (!child.record.hollow && child.nodes.length) yield child;
    yield* everyItem(child);
  }
}

function itemByKey(key) {
  let at = root,
    found = null;
  while (at && !found) {
    const next = at.children.find(
      (child) =>
        child.key === key ||
        (child.openable &&
          key.startsWith(child.inPlace ? "" : child.path + ".") &&
          (!child.inPlace || holds(child, key))),
    );
    if (next && next.key === key) found = next;
    at = next;
  }
  return found;
}

// Whether a key may be that of a turn of a repetition, or of something in one.
function holds(item, key) {
  const prefix = item.scope.path ? item.scope.path + "." : "";
  const inside = (name) =>
    key === prefix + name || key.startsWith(`${prefix}${name}.`) || key.startsWith(`${prefix}${name} `);
  return item.nodes.some(inside);
}
