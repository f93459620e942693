// Pan and zoom, by wheel, drag, pinch and keys, and a small map where the picture is larger.

const canvas = document.getElementById("canvas");
const minimap = document.getElementById("minimap");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const stage = svgElement("svg", { class: "stage", role: "group", "aria-label": `Diagram of ${data.name}` });
const layer = svgElement("g");
stage.append(layer);

const view = { x: 0, y: 0, scale: 1 }; // where the picture's origin stands, in pixels of the canvas
let scene = null;
const LEAST = 0.02,
  MOST = 8;

function applyView() {
  layer.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
  drawFrame();
}

let moving = 0;
function moveTo(to, quick = false) {
  cancelAnimationFrame(moving);
  if (quick || calm.matches) {
    Object.assign(view, to);
    applyView();
    return;
  }
  const from = { ...view },
    start = performance.now();
  const step = (now) => {
    const t = Math.min((now - start) / 220, 1),
      eased = 1 - (1 - t) ** 3;
    for (const key of ["x", "y", "scale"]) view[key] = from[key] + (to[key] - from[key]) * eased;
    applyView();
    if (t < 1) moving = requestAnimationFrame(step);
  };
  moving = requestAnimationFrame(step);
}

function zoomBy(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2, quick = true) {
  const scale = Math.min(Math.max(view.scale * factor, LEAST), MOST),
    by = scale / view.scale;
  moveTo({ scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by }, quick);
}

// All of the picture; at first only where it begins, if all would be too small to read.
function fit(readable = false, quick = false) {
  const [width, height] = scene.size,
    { clientWidth, clientHeight } = canvas;
  const [across, down] = [clientWidth / width, clientHeight / height];
  let scale = Math.min(across, down, 1.5);
  if (readable && scale < 0.6) scale = Math.max(scale, Math.min(1.25, Math.max(across, down)));
  const [first] = scene.places.values();
  const middle = scale > across && first ? first.box.x + first.box.width / 2 : width / 2;
  const x = Math.min(
    Math.max(clientWidth / 2 - middle * scale, clientWidth - width * scale),
    Math.max((clientWidth - width * scale) / 2, 0),
  );
  const y = Math.max((clientHeight - height * scale) / 2, 0);
  moveTo({ scale, x, y }, quick);
}

// Brings a thing into the middle if it is not in sight, or if that is asked for.
function bring(key, always = false) {
  const place = scene.places.get(key);
  if (!place) return;
  const { x, y, width, height } = place.box,
    { clientWidth, clientHeight } = canvas;
  const scale = always ? Math.max(view.scale, 0.8) : view.scale;
  const [left, top] = [view.x + x * scale, view.y + y * scale];
  const seen =
    left >= 0 &&
    top >= 0 &&
    left + width * scale <= clientWidth &&
    top + Math.min(height * scale, clientHeight) <= clientHeight;
  if (seen && !always) return;
  const tall = Math.min(height, (clientHeight * 0.9) / scale);
  moveTo({
    scale,
    x: clientWidth / 2 - (x + width / 2) * scale,
    y: clientHeight / 2 - (y + tall / 2) * scale,
  });
}

// Shows another picture, with one thing where it was.
function show(next, anchor) {
  const before = scene,
    held = before && anchor && before.places.get(anchor);
  scene = next;
  const inner = svgElement("g", { transform: `translate(${next.shift.join(" ")})` });
  inner.append(next.graph);
  layer.replaceChildren(inner);
  const now = held && next.places.get(anchor);
  if (held && now) {
    const middle = (box) => box.x + box.width / 2;
    view.x += (middle(held.box) - middle(now.box)) * view.scale;
    view.y += (held.box.y - now.box.y) * view.scale;
  }
  applyView();
  drawMinimap();
  if (before && now && !calm.matches && next.places.size < 300) glide(before, next, held.box, now.box);
}

// What is there before and after moves from its old place to the new one; the rest appears.
function glide(before, next, held, now) {
  const options = { duration: 240, easing: "ease-out" };
  const drift = [held.x + held.width / 2 - now.x - now.width / 2, held.y - now.y];
  for (const [key, { box, group }] of next.places) {
    const old = before.places.get(key)?.box;
    if (!old) {
      group.animate([{ opacity: 0 }, { opacity: 1 }], options);
      continue;
    }
    const dx = old.x + old.width / 2 - box.x - box.width / 2 - drift[0],
      dy = old.y - box.y - drift[1];
    if (Math.abs(dx) + Math.abs(dy) < 1) continue;
    group.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: "none" }], options);
  }
  for (const { group } of next.edges)
    group.animate([{ opacity: 0 }, { opacity: 0, offset: 0.5 }, { opacity: 1 }], options);
}

// -- pointers -------------------------------------------------------------------------------------

const pointers = new Map();
let dragged = false;

canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const { left, top } = canvas.getBoundingClientRect();
    const unit = event.deltaMode === 1 ? 24 : 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    if (event.shiftKey || (dx && !event.ctrlKey && Math.abs(dx) > Math.abs(dy))) {
      moveTo({ ...view, x: view.x - (dx || dy), y: view.y - (dx ? dy : 0) }, true);
    } else zoomBy(Math.exp(-dy / (event.ctrlKey ? 120 : 500)), event.clientX - left, event.clientY - top);
  },
  { passive: false },
);

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  pointers.set(event.pointerId, event);
  dragged = false;
});
addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  const all = [...pointers.values()],
    [dx, dy] = [event.clientX - last.clientX, event.clientY - last.clientY];
  if (!dragged && Math.hypot(dx, dy) < 4) return;
  if (!dragged) canvas.setPointerCapture(event.pointerId);
  dragged = true;
  pointers.set(event.pointerId, event);
  if (all.length === 2) {
    const other = all.find((pointer) => pointer.pointerId !== event.pointerId);
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const { left, top } = canvas.getBoundingClientRect();
    zoomBy(
      apart(event) / Math.max(apart(last), 1),
      (event.clientX + other.clientX) / 2 - left,
      (event.clientY + other.clientY) / 2 - top,
    );
  }
  moveTo({ ...view, x: view.x + dx / all.length, y: view.y + dy / all.length }, true);
});
for (const kind of ["pointerup", "pointercancel"]) {
  addEventListener(kind, (event) => pointers.delete(event.pointerId));
}

// -- the small map --------------------------------------------------------------------------------

const frame = svgElement("rect", { class: "frame" });

function drawMinimap() {
  const [width, height] = scene.size;
  minimap.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const scale = Math.min(180 / width, 240 / height);
  minimap.setAttribute("width", Math.max(width * scale, 24));
  minimap.setAttribute("height", Math.max(height * scale, 24));
  const marks = [];
  for (const { what, group, box } of scene.places.values()) {
    const shape = group.querySelector("polygon, path, ellipse");
    const fill = what.open ? "none" : shape.getAttribute("fill");
    marks.push(svgElement("rect", { ...box, class: what.open ? "cluster" : "", fill }));
  }
  minimap.replaceChildren(...marks, frame);
  drawFrame();
}

function drawFrame() {
  if (!scene) return;
  const [width, height] = scene.size,
    { clientWidth, clientHeight } = canvas;
  const box = {
    x: -view.x / view.scale,
    y: -view.y / view.scale,
    width: clientWidth / view.scale,
    height: clientHeight / view.scale,
  };
  for (const [name, number] of Object.entries(box)) frame.setAttribute(name, number);
  frame.setAttribute("stroke-width", Math.max(width / 120, height / 160));
  minimap.toggleAttribute("hidden", box.width >= width - 1 && box.height >= height - 1);
}

function followMinimap(event) {
  if (!event.buttons) return;
  const { left, top, width } = minimap.getBoundingClientRect(),
    factor = scene.size[0] / width;
  const across =
    minimap.getAttribute("width") * factor === scene.size[0]
      ? factor
      : scene.size[1] / minimap.getBoundingClientRect().height;
  const [x, y] = [(event.clientX - left) * across, (event.clientY - top) * across];
  moveTo(
    { ...view, x: canvas.clientWidth / 2 - x * view.scale, y: canvas.clientHeight / 2 - y * view.scale },
    true,
  );
}
for (const kind of ["pointerdown", "pointermove"]) minimap.addEventListener(kind, followMinimap);
new ResizeObserver(drawFrame).observe(canvas);
