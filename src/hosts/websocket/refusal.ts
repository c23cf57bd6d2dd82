/** Answer to an upgrade that the runtime cannot make. */
export function badUpgrade(): Response {
  return new Response("Cannot upgrade the connection", {
    status: 400,
    headers: { "content-type": "text/plain", "connection": "close" },
  });
}
