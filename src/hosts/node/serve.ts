import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Listener, ServeOptions } from "../serve.ts";
import { acceptUpgrades } from "../websocket/node.ts";
import { addressOf, createMessageServer } from "./message_server.ts";

/** Between two looks at connections that have become idle while closing. */
const CLOSE_LOOK_MS = 50;

/** Listens with `node:http`. */
export async function serveNode(
  { hostname, port, handle, clock }: ServeOptions,
): Promise<Listener> {
  const server = createMessageServer(handle);
  const upgrades = acceptUpgrades(server, { handle, peerOf: addressOf, clock });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  return {
    hostname,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      await closeServer(server);
      await upgrades.none();
    },
    abort: () => {
      server.closeAllConnections();
      upgrades.abort();
    },
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection that was busy at the first look stays open as keep-alive: look again (platform.md 2).
    const looking = setInterval(() => server.closeIdleConnections(), CLOSE_LOOK_MS);
    server.close(() => {
      clearInterval(looking);
      resolve();
    });
    server.closeIdleConnections();
  });
}
