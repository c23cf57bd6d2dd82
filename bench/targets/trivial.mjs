// The least a server can be: the anchor of the start-up figures. Plain JavaScript, as stripping types is
// a part of Node's start-up that a bundle does not have either.
const result = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  serverInfo: { name: "trivial", version: "1" },
};
const hostname = "127.0.0.1";
const say = (port) => console.log(`{"url":"http://${hostname}:${port}/mcp"}`);

function answer(text) {
  const { id } = JSON.parse(text);
  return id === undefined ? undefined : JSON.stringify({ jsonrpc: "2.0", id, result });
}

async function web(request) {
  const body = answer(await request.text());
  if (body === undefined) return new Response(null, { status: 202 });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

if (globalThis.Bun) {
  say(Bun.serve({ port: 0, hostname, fetch: web }).port);
} else if (globalThis.Deno) {
  Deno.serve({ port: 0, hostname, onListen: ({ port }) => say(port) }, web);
} else {
  const { createServer } = await import("node:http");
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk) => text += chunk).on("end", () => {
      const body = answer(text);
      if (body === undefined) response.writeHead(202).end();
      else response.writeHead(200, { "content-type": "application/json" }).end(body);
    });
  });
  server.listen(0, hostname, () => say(server.address().port));
}
