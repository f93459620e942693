// What is chosen and opened, and how that is asked for.

const ALL = 1500; // boxes that `Expand` goes to
let chosen = null,
  direction = data.direction,
  drawing = 0,
  shown = "";

const chosenKey = () => chosen?.key ?? "";
const status = document.getElementById("status");
const say = (text) => {
  status.textContent = text;
};

// Draws what is open now; of several wishes at once the last counts.
async function draw(anchor = "") {
  document.documentElement.dataset.busy = "true";
  const number = (drawing += 1),
    composer = new Composer(direction),
    text = composer.text();
  drawOutline();
  keep();
  const boxes = composer.ends.length;
  const slow = setTimeout(() => say(`laying out ${boxes.toLocaleString("en")} boxes …`), 300);
  try {
    const svg = parseSvg(await layout(text));
    if (number !== drawing) return;
    shown = text;
    const focused = canvas.contains(document.activeElement) && document.activeElement.dataset.key;
    show(new Scene(svg, composer), anchor);
    mark();
    if (focused) focusThing(focused) || focusThing(chosenKey()) || canvas.focus();
    const straight = composer.straight ? ", with straight lines" : "";
    say(`${boxes.toLocaleString("en")} boxes${straight}`);
  } catch (error) {
    if (number === drawing) say(`this cannot be laid out: ${error.message}`);
  } finally {
    clearTimeout(slow);
    if (number === drawing) delete document.documentElement.dataset.busy;
  }
}

async function toggle(item, open) {
  const anchor = item.key;
  if (open) openItem(item);
  else if (item.open) closeItem(item);
  const there = item.shown ? item : (item.ancestors.find((around) => !around.open) ?? item);
  if (chosen && !chosen.end && !chosen.shown) chosen = there;
  const around = [item, ...item.ancestors].reverse().find((each) => scene.places.has(each.key));
  await draw(scene.places.has(anchor) ? anchor : (around?.key ?? ""));
  describe(chosen);
}

// Chooses what a box or frame stands for; opens what it lies in.
async function choose(what, { bring: brought = false, focus = false, node = "" } = {}) {
  chosen = what;
  if (what && !what.end && !what.shown) {
    reveal(what);
    await draw();
  }
  mark();
  keep();
  describe(what, node);
  if (what) bring(visibleKey(what), brought);
  if (what && focus) focusThing(visibleKey(what));
}

// The thing on the canvas that something is to be seen as: a frameless one is what is in it.
function visibleKey(what) {
  if (what.end || scene.places.has(what.key)) return what.key;
  for (let at = what; at && at.open;) {
    at = at.first();
    if (at && scene.places.has(at.key)) return at.key;
  }
  return what.key;
}

function mark() {
  scene.mark(chosen ? visibleKey(chosen) : "");
  for (const { group } of scene.places.values()) group.setAttribute("tabindex", "-1");
  const place = scene.places.get(chosen ? visibleKey(chosen) : "") ?? scene.places.values().next().value;
  place?.group.setAttribute("tabindex", "0");
  markOutline(chosenKey());
}

function focusThing(key) {
  const place = scene.places.get(key);
  place?.group.focus({ preventScroll: true });
  return Boolean(place);
}

// -- what the tools do -----------------------------------------------------------------------------

const tools = {
  "zoom-in": ["+", "zoom in", () => zoomBy(1.3, undefined, undefined, false)],
  "zoom-out": ["-", "zoom out", () => zoomBy(1 / 1.3, undefined, undefined, false)],
  fit: ["0", "fit all", () => fit()],
  expand: ["e", "open one level more", expandAll],
  collapse: ["c", "close all", () => setAll(() => false)],
  reset: ["r", "as it was at first", () => setAll((item) => openAtFirst.has(item.key))],
  turn: ["d", "top to bottom, or left to right", turn],
  scheme: ["t", "light, dark, or as the system is", nextTheme],
  download: ["s", "download this picture as SVG", download],
  "toggle-outline": ["o", "show or hide the outline", toggleOutline],
  help: ["?", "show the keys", () => document.getElementById("about").showModal()],
};

async function setAll(wish) {
  for (const item of everyItem()) setOpen(item, wish(item));
  if (chosen && !chosen.end && !chosen.shown) chosen = chosen.ancestors.find((item) => !item.open) ?? null;
  await draw();
  begin();
  describe(chosen);
}

// Another picture from its beginning, or where the chosen thing is.
function begin() {
  fit(true, Boolean(chosen));
  if (chosen) bring(visibleKey(chosen));
}

// One level more of what is visible, as long as it stays a picture.
async function expandAll() {
  const level = [...root.leaves()].filter((item) => item.openable);
  let room = ALL - [...root.leaves()].length;
  for (const item of level) {
    room -= item.children.length;
    if (room < 0) break;
    openItem(item);
  }
  await draw(chosen ? visibleKey(chosen) : "");
  if (!level.length) say("all is open");
  else if (room < 0)
    say(`more than ${ALL.toLocaleString("en")} boxes would be too many; open what you want to see`);
  describe(chosen);
}

async function turn() {
  direction = direction === "TB" ? "LR" : "TB";
  await draw();
  begin();
}

const dark = matchMedia("(prefers-color-scheme: dark)");
function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.documentElement.dataset.scheme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  const button = document.getElementById("scheme");
  button.textContent = { auto: "◐", light: "☀", dark: "☾" }[theme];
  button.setAttribute("aria-label", `Theme: ${theme}`);
}
function nextTheme() {
  const themes = ["auto", "light", "dark"],
    now = themes.indexOf(document.documentElement.dataset.theme);
  applyTheme(themes[(now + 1) % 3]);
  say(`theme: ${document.documentElement.dataset.theme}`);
}
dark.addEventListener("change", () => applyTheme(document.documentElement.dataset.theme));

async function download() {
  const { svg } = finish(parseSvg(await layout(shown || new Composer(direction).text())));
  const { theme } = document.documentElement.dataset;
  const dark = { light: "", dark: data.dark, auto: `@media (prefers-color-scheme:dark){${data.dark}}` }[
    theme
  ];
  // As text: the policy of this page would refuse a style that is put into a tree.
  const text = new XMLSerializer().serializeToString(svg).replace(">", () => `><style>${dark}</style>`);
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const link = element("a", { href: url, download: `${data.name}.svg` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function toggleOutline() {
  const hidden = document.body.classList.toggle("bare");
  document.getElementById("toggle-outline").setAttribute("aria-expanded", String(!hidden));
}

for (const [id, [key, what, act]] of Object.entries(tools)) {
  document.getElementById(id).addEventListener("click", () => act());
  if (id !== "help") addKey(key, what);
}
function addKey(key, what) {
  document.getElementById("keys").append(element("dt", {}, key), element("dd", {}, what));
}
addKey("/", "search");
addKey("Tab, arrows", "go from node to node");
addKey("Enter", "open or close");
addKey("←", "close what a node lies in");
addKey("Esc", "let go");
addKey("wheel, drag, pinch", "zoom and move; with Shift the wheel moves sideways");

// -- the canvas ------------------------------------------------------------------------------------

const thingOf = (target) => scene?.places.get(target.closest?.(".thing")?.dataset.key ?? "")?.what;

canvas.addEventListener("click", (event) => {
  if (dragged) return;
  const what = thingOf(event.target);
  if (what && event.target.closest(".sign")) toggle(what, !what.open);
  else choose(what ?? null, { focus: Boolean(what) });
});
canvas.addEventListener("dblclick", (event) => {
  const what = thingOf(event.target);
  if (what?.openable && !event.target.closest(".sign")) toggle(what, !what.open);
});
canvas.addEventListener("keydown", (event) => {
  const what = thingOf(event.target);
  if (!what || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = [...scene.places.values()].map((place) => place.what).filter((each) => !each.open),
    at = all.indexOf(what);
  const next = (step) => {
    const other = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    choose(other, { focus: true });
    bring(other.key);
  };
  const keys = {
    ArrowDown: () => next(1),
    ArrowUp: () => next(-1),
    Enter: () => what.openable && toggle(what, !what.open),
    " ": () => what.openable && toggle(what, !what.open),
    ArrowRight: () => (what.openable && !what.open ? toggle(what, true) : next(1)),
    ArrowLeft: () => {
      const around = what.end || what.open ? what : what.outermost.parent;
      if (around.openable && around !== root) toggle(around, false);
      else next(-1);
    },
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  keys[event.key]();
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, dialog")) return;
  const act = Object.values(tools).find(
    ([key]) => key === event.key || (key === "+" && event.key === "="),
  )?.[2];
  if (event.key === "/") (query.select(), query.focus());
  else if (event.key === "Escape") choose(null);
  else if (act) act();
  else return;
  event.preventDefault();
});

// -- at first ---------------------------------------------------------------------------------------

applyTheme(document.documentElement.dataset.theme);
if (innerWidth < 900) toggleOutline();
if (location.hash) recall();
const drawnByPython = canvas.querySelector("svg");
canvas.replaceChildren(stage);
drawOutline();
if (drawnByPython && !location.hash) {
  show(new Scene(drawnByPython, composed()));
  mark();
} else await draw();
fit(true, true);
if (chosen) {
  describe(chosen);
  mark();
  bring(visibleKey(chosen), true);
}
addEventListener("hashchange", async () => {
  recall();
  await draw();
  describe(chosen);
});

function composed() {
  const composer = new Composer(direction);
  composer.text();
  return composer;
}

// For those who look from outside: the text that the picture is laid out from.
window.graphbuild = { dot: () => new Composer(direction).text() };
document.documentElement.dataset.ready = "true";
