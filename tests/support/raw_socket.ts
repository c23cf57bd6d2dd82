/** Sends exact bytes and gives what came back: shows what a runtime's own HTTP parser does. */
import { connect } from "node:net";

const LIMIT_MS = 5000;

/** Everything the server sends until it closes, or until `enough` holds. */
export function exchange(
  port: number,
  bytes: string,
  enough: (text: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ host: "127.0.0.1", port }, () => socket.write(bytes, "latin1"));
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(finish, LIMIT_MS);
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (enough(text)) finish();
    });
    socket.on("close", finish);
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (text === "" && error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
  });
}

/** Status of the first answer, or 0 when the connection was closed without one. */
export async function statusOf(port: number, bytes: string): Promise<number> {
  const head = await exchange(port, bytes, (text) => text.includes("\r\n\r\n"));
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
}
