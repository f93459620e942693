// Badges of weights that are applied again, and colours of costs: what depends on all that is visible.
// Mirrors sharing.py and theme.py.

const SAME = "same weights each time",
  LETTER = "weights A",
  LETTERED = /^weights \w+/;

// The badges of all that is visible, as sharing.py gives them.
function badges() {
  const of = new Map(),
    pairs = [];
  const give = (item, badge) => (of.has(item) || of.set(item, badge), of.get(item));
  const letter = () => {
    const used = new Set(of.values()).size;
    return `weights ${String.fromCharCode(65 + (used % 26))}${used > 25 ? Math.floor(used / 26) : ""}`;
  };
  const join = (...link) => {
    if (!pairs.some((known) => known.every((part, k) => part === link[k]))) pairs.push(link);
  };
  const turning = [];
  const visit = (scope) => {
    for (const item of scope.items) {
      if (item.record.same) turning.push(item);
      for (const name of item.nodes) {
        const { shared } = scope.graph.nodes.get(name);
        const owner = shared ? scope.holder(shared) : null;
        if (!owner || owner === item) continue;
        of.set(item, give(owner, letter()));
        join(owner, item, "shared");
      }
      if (item.open) visit(item);
    }
  };
  visit(root);
  for (const [path, source] of data.ties) {
    const one = at(source),
      other = at(path);
    if (!one || !other || one === other) continue;
    give(other, give(one, letter()));
    join(one, other, "tied");
  }
  for (const item of turning) of.set(item, of.has(item) ? `${of.get(item)}, each time` : SAME);
  return { of, pairs };
}

// The visible item that a path lies in.
function at(path) {
  let names = path.split("."),
    item = root;
  while (item.open && names.length) {
    const inner = item.holder(names[0]);
    if (!inner) return null;
    item = inner;
    if (item.record.form === "call" || item.record.form === "run") names = names.slice(1);
  }
  return item.open ? null : item;
}

// The colour of a share of the most, and black or white to write on it.
function heat(share) {
  const { scale } = data,
    at = Math.sqrt(Math.min(Math.max(share, 0), 1)) * (scale.length - 1);
  const low = Math.min(Math.floor(at), scale.length - 2);
  const byte = (colour, k) => parseInt(colour.slice(k, k + 2), 16);
  const mixed = [1, 3, 5].map((k) => {
    const one = byte(scale[low], k);
    return rounded(one + (byte(scale[low + 1], k) - one) * (at - low));
  });
  const linear = mixed
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  const light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  const hue = "#" + mixed.map((v) => v.toString(16).padStart(2, "0")).join("");
  return [hue, light > 0.24 ? "#000000" : "#fffffe"];
}

// As Python rounds: a half to the even one.
function rounded(number) {
  const up = Math.round(number);
  return up - number === 0.5 && up % 2 ? up - 1 : up;
}
