// What the page's address keeps: what was opened and closed since, and what is chosen.

function keep() {
  const parts = new URLSearchParams(),
    now = new Set();
  const visit = (item) => {
    for (const child of item.children) {
      if (child.openable && child.open) now.add(child.key);
      if (child.kept) visit(child);
    }
  };
  visit(root);
  for (const key of now) if (!openAtFirst.has(key)) parts.append("open", key);
  for (const key of openAtFirst) if (!now.has(key) && itemByKey(key)?.openable) parts.append("close", key);
  if (direction !== data.direction) parts.set("direction", direction);
  if (chosen) parts.set("node", chosen.key);
  const hash = parts.toString();
  const address = hash ? `#${hash}` : location.pathname + location.search;
  if (location.hash.slice(1) !== hash && hash.length < 8000) history.replaceState(null, "", address);
}

function recall() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const [open, close] = ["open", "close"].map((name) => new Set(parts.getAll(name)));
  for (const item of everyItem()) {
    setOpen(item, open.has(item.key) || (openAtFirst.has(item.key) && !close.has(item.key)));
  }
  direction = ["TB", "LR"].includes(parts.get("direction")) ? parts.get("direction") : data.direction;
  const key = parts.get("node") ?? "";
  chosen = [...inputs, ...outputs].find((end) => end.key === key) ?? (key && itemByKey(key)) ?? null;
  if (chosen && !chosen.end) reveal(chosen);
}
