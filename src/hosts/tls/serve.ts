/**
 * HTTPS, with or without client certificates, the same way on every runtime: their own listeners either do not
 * ask for a client certificate or do not tell whose it is (platform.md 2).
 */
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { Peer } from "../../core/mod.ts";
import { addressOf, createMessageServer } from "../node/message_server.ts";
import type { Listener, ServeOptions, TlsFiles } from "../serve.ts";
import { acceptUpgrades } from "../websocket/node.ts";
import { Connections } from "./connections.ts";
import { type SubjectParts, subjectText } from "./subject.ts";

/** Listens with `node:tls` and hands each connection to a `node:http` server that does not listen itself. */
export async function serveTls(
  { hostname, port, handle, clock, maxConnections }: ServeOptions,
  files: TlsFiles,
): Promise<Listener> {
  const connections = new Connections(clock, maxConnections);
  const http = createMessageServer(handle, peerOf);
  http.on("request", (incoming, outgoing) => connections.requested(incoming, outgoing));
  http.on("upgrade", ({ socket }) => connections.upgraded(socket));
  const upgrades = acceptUpgrades(http, { handle, peerOf, clock });
  const tls = createServer(settingsOf(files));
  // Deno ends connections after one answer when their server says that it does not listen.
  Object.defineProperty(http, "listening", { get: () => tls.listening });
  tls.on("connection", (socket) => connections.add(socket));
  // A failed handshake is the caller's affair; its connection is already being closed.
  tls.on("tlsClientError", (_error, socket) => socket.destroy());
  tls.on("secureConnection", (socket) => {
    connections.secured(socket);
    if (!socket.destroyed) http.emit("connection", socket);
  });
  await listening(tls, hostname, port).catch(async (thrown: unknown) => {
    await connections.close();
    throw thrown;
  });
  return {
    hostname,
    port: (tls.address() as AddressInfo).port,
    close: async () => {
      tls.close();
      await connections.close();
      await upgrades.none();
    },
    renew: (renewed) => tls.setSecureContext(contextOf(renewed)),
    abort: () => {
      upgrades.abort();
      connections.abort();
    },
  };
}

function listening(tls: Server, hostname: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // After the start it is a connection that could not be accepted: its caller sees that.
    tls.on("error", reject);
    tls.listen(port, hostname, resolve);
  });
}

function settingsOf(files: TlsFiles) {
  const asked = files.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
  return { ...contextOf(files), ...asked, ALPNProtocols: ["http/1.1"] };
}

function contextOf({ cert, key, clientCa }: TlsFiles) {
  const authority = clientCa === undefined ? {} : { ca: [clientCa] };
  return { cert, key, minVersion: "TLSv1.2", ...authority } as const;
}

function peerOf(incoming: IncomingMessage): Peer {
  const certificate = (incoming.socket as TLSSocket).getPeerCertificate();
  // Without a certificate the runtimes give nothing, or an object without members.
  const parts = certificate?.subject as SubjectParts | undefined;
  const subject = parts === undefined ? undefined : subjectText(parts);
  return { ...addressOf(incoming), ...(subject === undefined ? {} : { subject }) };
}
