// What Python has to say of the graph; see tree.py and statements.py.

const packed = Uint8Array.from(atob(document.getElementById("data").textContent), (c) => c.charCodeAt(0));
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
const data = await new Response(unpacked).json();
