// The outline: the whole as a tree, open where the picture is. Also the search.

const tree = document.querySelector("#outline [role=tree]");

function drawOutline() {
  const focused = tree.contains(document.activeElement) && document.activeElement.dataset.key;
  tree.replaceChildren(...rowsOf(root));
  const row = rowOf(focused || chosenKey()) ?? tree.firstElementChild;
  if (!row) return;
  row.tabIndex = 0;
  if (focused) row.focus();
}

function rowsOf(item) {
  return item.children.filter(written).map((child) => {
    const row = element("li", {
      role: "treeitem",
      tabindex: "-1",
      "data-key": child.key,
      "aria-level": child.ancestors.length + 1,
      "aria-selected": "false",
    });
    const label = element("span", { class: "row", title: child.path });
    label.style.setProperty("--hue", data.hues[child.record.box.kind]);
    const { name, turns } = child.record,
      title = child.record.box.title === name ? "" : child.record.box.title;
    label.append(
      element("i", { "aria-hidden": "true" }),
      element("b", {}, name),
      element("small", {}, ` ${title}${turns > 1 ? ` ×${turns}` : ""}`),
    );
    row.append(label);
    if (child.openable) {
      const inner = innermost(child),
        open = child.open && inner.open;
      row.setAttribute("aria-expanded", String(open));
      if (open) row.append(element("ul", { role: "group" }, ...rowsOf(inner)));
    }
    return row;
  });
}

// Not what the language itself puts in, where a dense block joins; such names have a dot.
const written = (item) => item.nodes.length && !item.record.hollow && !item.nodes[0].includes(".");

// Of a repetition whose turns are all equal the one that stands for them: it has the same name.
function innermost(item) {
  const [only, more] = item.inPlace ? item.children : [];
  return only?.openable && !more ? only : item;
}

const rowOf = (key) => key && [...tree.querySelectorAll("li")].find((row) => row.dataset.key === key);

function markOutline(key) {
  for (const row of tree.querySelectorAll('[aria-selected="true"]'))
    row.setAttribute("aria-selected", "false");
  for (const row of tree.querySelectorAll('[tabindex="0"]')) row.tabIndex = -1;
  const told = rowOf(key) ?? (chosen?.parent && rowOf(chosen.parent.key)),
    row = told ?? tree.firstElementChild;
  if (!row) return;
  row.tabIndex = 0;
  if (!told) return;
  row.setAttribute("aria-selected", "true");
  row.firstElementChild.scrollIntoView({ block: "nearest" });
}

// Exactly what the row tells of, even if it is all that is around it.
function toggleRow(item, open = !(item.open && innermost(item).open)) {
  if (!open) setOpen(item, false);
  toggle(item, open);
}

tree.addEventListener("click", (event) => {
  const row = event.target.closest("li");
  if (!row) return;
  const item = itemByKey(row.dataset.key);
  if (event.target.localName === "i" && item.openable) toggleRow(item);
  else choose(item, { bring: true });
});
tree.addEventListener("dblclick", (event) => {
  const item = itemByKey(event.target.closest("li")?.dataset.key ?? "");
  if (item?.openable && event.target.localName !== "i") toggleRow(item);
});

tree.addEventListener("keydown", (event) => {
  const row = event.target.closest("li");
  if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = [...tree.querySelectorAll("li")],
    at = rows.indexOf(row),
    item = itemByKey(row.dataset.key);
  const open = item.open && innermost(item).open;
  const go = (other) => {
    if (!other) return;
    row.tabIndex = -1;
    other.tabIndex = 0;
    other.focus();
  };
  const keys = {
    ArrowDown: () => go(rows[at + 1]),
    ArrowUp: () => go(rows[at - 1]),
    Home: () => go(rows[0]),
    End: () => go(rows.at(-1)),
    ArrowRight: () => (item.openable && !open ? toggleRow(item, true) : open && go(rows[at + 1])),
    ArrowLeft: () => (item.openable && open ? toggleRow(item, false) : go(row.parentElement.closest("li"))),
    Enter: () => choose(item, { bring: true }),
    " ": () => choose(item, { bring: true }),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  keys[event.key]();
});

// -- search ---------------------------------------------------------------------------------------

const query = document.getElementById("query");
const results = document.getElementById("results");
const MANY = 50;
let index = null,
  found = [],
  picked = -1;

// Every node, by its own path; several may be one item. A repetition is found by its name, too.
function* entries() {
  for (const item of everyItem()) {
    const { name, form, box } = item.record,
      prefix = item.scope.path ? `${item.scope.path}.` : "";
    const alone = form === "repeat" || form === "stretch";
    if (alone) yield { item, node: "", path: prefix + name, op: `${box.title} ×${item.record.turns}` };
    for (const node of alone ? [] : item.nodes) {
      if (node.includes(".")) continue;
      yield { item, node, path: prefix + node, op: item.scope.graph.nodes.get(node).about.op };
    }
  }
}

function search() {
  index ??= [...entries()].map((entry) => ({ ...entry, text: `${entry.path} ${entry.op}`.toLowerCase() }));
  const whole = query.value.trim().toLowerCase(),
    words = whole.split(/\s+/).filter(Boolean);
  const hits = words.length ? index.filter((entry) => words.every((word) => entry.text.includes(word))) : [];
  // first those whose own name is what is asked for, then those whose name has it
  const rank = ({ node, path }) => {
    const own = node.toLowerCase();
    if (path.toLowerCase() === whole || own === whole) return 0;
    return words.some((word) => own.includes(word)) ? 1 : 2;
  };
  const ranked = hits.map((hit, at) => [rank(hit), at, hit]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  found = ranked.slice(0, MANY).map(([, , hit]) => hit);
  results.replaceChildren(
    ...found.map(({ item, path, op }, at) => {
      const row = element("li", { role: "option", id: `result-${at}`, "aria-selected": "false" });
      row.style.setProperty("--hue", data.hues[item.record.box.kind]);
      row.append(element("i", { "aria-hidden": "true" }), element("b", {}, path), element("small", {}, op));
      row.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        take(at);
      });
      return row;
    }),
  );
  if (words.length && hits.length !== found.length) {
    results.append(
      element("li", { class: "more", role: "presentation" }, `${hits.length - found.length} more`),
    );
  }
  if (words.length && !hits.length)
    results.append(element("li", { class: "more", role: "presentation" }, "nothing found"));
  openResults(Boolean(words.length));
  pick(found.length ? 0 : -1);
  if (words.length) say(`${hits.length} found`);
}

function openResults(open) {
  results.hidden = !open;
  query.setAttribute("aria-expanded", String(open));
}

function pick(at) {
  picked = at;
  for (const [place, row] of [...results.querySelectorAll("[role=option]")].entries()) {
    row.setAttribute("aria-selected", String(place === at));
    if (place === at) row.scrollIntoView({ block: "nearest" });
  }
  if (at >= 0) query.setAttribute("aria-activedescendant", `result-${at}`);
  else query.removeAttribute("aria-activedescendant");
}

function take(at) {
  if (!found[at]) return;
  openResults(false);
  choose(found[at].item, { bring: true, focus: true, node: found[at].node });
}

query.addEventListener("input", search);
query.addEventListener("focus", () => query.value && search());
query.addEventListener("blur", () => openResults(false));
query.addEventListener("keydown", (event) => {
  const count = found.length;
  const keys = {
    ArrowDown: () => count && pick((picked + 1) % count),
    ArrowUp: () => count && pick((picked + count - 1) % count),
    Enter: () => take(picked),
    Escape: () => (results.hidden ? query.blur() : openResults(false)),
  };
  event.stopPropagation();
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
