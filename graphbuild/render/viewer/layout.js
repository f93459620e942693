// Graphviz, in a worker of its own so that the page answers while it thinks.

const worker = (() => {
  const code =
    document.getElementById("graphviz").textContent +
    `
    self.onmessage = async ({ data: [number, text] }) => {
      try {
        const graphviz = await Graphviz.load();
        postMessage([number, graphviz.layout(text, "svg", "dot"), ""]);
      } catch (error) {
        postMessage([number, "", String(error.message ?? error)]);
      }
    };`;
  // A module, which a worker from a file cannot be everywhere: what it exports becomes a constant.
  const named = code.replace(
    /export\s*\{([^}]*)\};?/,
    (_, names) => `const Graphviz = ${/([\w$]+) as Graphviz\b/.exec(names)[1]};`,
  );
  const url = URL.createObjectURL(new Blob([named], { type: "text/javascript" }));
  return new Worker(url);
})();

const waiting = new Map();
let asked = 0;

worker.onmessage = ({ data: [number, svg, error] }) => {
  const { resolve, reject } = waiting.get(number);
  waiting.delete(number);
  if (error) reject(new Error(error));
  else resolve(svg);
};
let broken = "";
worker.onerror = (event) => {
  broken = event.message || "Graphviz does not start";
  for (const { reject } of waiting.values()) reject(new Error(broken));
  waiting.clear();
};

// SVG text of a picture in DOT.
function layout(text) {
  asked += 1;
  if (broken) return Promise.reject(new Error(broken));
  return new Promise((resolve, reject) => {
    waiting.set(asked, { resolve, reject });
    worker.postMessage([asked, text]);
  });
}
