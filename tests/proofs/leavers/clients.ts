/** Clients on bare connections, which leave at any point of a call. */
import { connect, type Socket } from "node:net";
import { Connection } from "../../../bench/connection.ts";
import type { Session } from "../../../bench/session.ts";
import { modernBody, modernHeaders } from "../../support/modern_http.ts";
import type { Notebook } from "./notebook.ts";
import { askedOf, type Leaver, type Point } from "./points.ts";

export interface ClientStage {
  readonly url: URL;
  /** Of legacy leavers. */
  readonly sessions: readonly Session[];
  readonly notebook: Notebook;
}

export interface Left {
  /** When it left, or cancelled, of `performance.now`. */
  readonly at: number;
  /** What it had read. */
  readonly text: string;
  /** Its answer is a stream, be it because it took long. */
  readonly isStreamed: boolean;
}

/** So long a part of a request is all that the gateway has. */
const GAP_MS = 5;
const WAIT_MS = 30_000;
const HEAD_END = "\r\n\r\n";
/** Of a JSON answer, before its client leaves in the middle of it. */
const BODY_PART = 1000;
const STREAM = /^content-type: text\/event-stream\r$/im;
const PROGRESS = "notifications/progress";

/** Calls and leaves. @throws Error when it does not get to its point */
export async function leave(leaver: Leaver, stage: ClientStage): Promise<Left> {
  const line = new Line(stage.url);
  try {
    if (leaver.point === "connecting") {
      if (leaver.resets) await line.connected;
      return { at: performance.now(), text: "", isStreamed: leaver.isStreamed };
    }
    await line.connected;
    await line.send(partOf(requestOf(leaver, stage), leaver.point));
    await arrive(leaver, line, stage);
    const at = performance.now();
    if (isCancelling(leaver)) await cancel(leaver, stage);
    const { text } = line;
    return { at, text, isStreamed: leaver.isStreamed || STREAM.test(text) };
  } finally {
    line.leave(leaver.resets);
  }
}

/** Whether its answer comes on a stream to which it can come back. */
export function canComeBack({ point, era, isStreamed, nonce }: Leaver, { text }: Left): boolean {
  return point === "answer" && era === "legacy" && isStreamed && !text.includes(nonce);
}

/** Fetches the answer of a legacy stream that its client has left. @throws Error when it does not come */
export async function comeBack(leaver: Leaver, left: Left, stage: ClientStage): Promise<void> {
  const id = [...left.text.matchAll(/^id: (\S+)\r?$/gm)].at(-1)?.[1];
  if (id === undefined) throw new Error("no event had an id");
  const line = new Line(stage.url);
  try {
    await line.connected;
    const head = sessionOf(leaver, stage).bare("GET").slice(0, -2);
    await line.send(`${head}last-event-id: ${id}${HEAD_END}`);
    await line.read((text) => text.includes(leaver.nonce));
  } finally {
    line.leave(false);
  }
}

function isCancelling({ point, era }: Leaver): boolean {
  return point === "cancelled" && era === "legacy";
}

function requestOf(leaver: Leaver, stage: ClientStage): string {
  const { number: id, backend, era } = leaver;
  const params = { name: `${backend}__call`, arguments: { ...askedOf(leaver) } };
  const meta = { progressToken: id };
  if (era === "legacy") {
    const message = {
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { ...params, _meta: meta },
    };
    return sessionOf(leaver, stage).request(JSON.stringify(message));
  }
  const body = JSON.stringify(modernBody("tools/call", params, { id, meta }));
  const headers = {
    host: stage.url.host,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "content-length": String(body.length),
    ...modernHeaders("tools/call", params),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${stage.url.pathname} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

function sessionOf({ number }: Leaver, { sessions }: ClientStage): Session {
  return sessions[number % sessions.length] as Session;
}

function partOf(request: string, point: Point): string {
  const head = request.indexOf(HEAD_END) + HEAD_END.length;
  switch (point) {
    case "head part":
      return request.slice(0, Math.floor(head / 2));
    case "head":
      return request.slice(0, head);
    case "body part":
      return request.slice(0, Math.floor((head + request.length) / 2));
    case "connecting":
      return "";
    case "body":
    case "working":
    case "cancelled":
    case "answer head":
    case "answer":
      return request;
  }
}

async function arrive(leaver: Leaver, line: Line, { notebook }: ClientStage): Promise<void> {
  switch (leaver.point) {
    case "head part":
    case "head":
    case "body part":
      return await pause(GAP_MS);
    case "working":
    case "cancelled":
      return await inTime(notebook.called(leaver.nonce), () => "its backend did not get the call");
    case "answer head":
      return await line.read((text) => text.includes(HEAD_END));
    case "answer":
      return await line.read(leaver.isStreamed ? hasProgress : hasBodyPart);
    case "connecting":
    case "body":
      return;
  }
}

function hasProgress(text: string): boolean {
  return text.indexOf(PROGRESS) !== text.lastIndexOf(PROGRESS);
}

function hasBodyPart(text: string): boolean {
  const head = text.indexOf(HEAD_END);
  return head >= 0 && text.length > head + BODY_PART;
}

async function cancel(leaver: Leaver, stage: ClientStage): Promise<void> {
  const connection = await Connection.open(stage.url);
  const params = { requestId: leaver.number };
  const message = { jsonrpc: "2.0", method: "notifications/cancelled", params };
  try {
    const exchange = connection.exchange(
      sessionOf(leaver, stage).request(JSON.stringify(message)),
    );
    const { status } = await inTime(exchange, () => "its cancellation was not acknowledged");
    if (status !== 202) throw new Error(`its cancellation got status ${status}`);
  } finally {
    connection.close();
  }
}

/** A connection that can be left at any time. */
class Line {
  readonly connected: Promise<void>;
  text = "";
  readonly #socket: Socket;
  #isClosed = false;
  #look = () => {};

  constructor({ hostname, port }: URL) {
    const socket = this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.connected = new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("close", () => reject(new Error("no connection")));
    });
    // Whoever leaves first does not wait for it.
    this.connected.catch(() => {});
    socket.on("data", (chunk) => {
      this.text += chunk.toString("latin1");
      this.#look();
    });
    // The gateway may reset what its client has left.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      this.#look();
    });
  }

  /** Resolves when the system has taken it. */
  async send(text: string): Promise<void> {
    const sent = new Promise<void>((resolve) =>
      this.#socket.write(text, "latin1", () => resolve())
    );
    await inTime(sent, () => "its request could not be sent");
  }

  /** Resolves when enough has come. */
  async read(isEnough: (text: string) => boolean): Promise<void> {
    const come = new Promise<void>((resolve, reject) => {
      this.#look = () => {
        if (isEnough(this.text)) resolve();
        else if (this.#isClosed) reject(new Error(`its connection ended: ${this.#shown}`));
      };
      this.#look();
    });
    await inTime(come, () => `not enough came: ${this.#shown}`);
  }

  leave(resets: boolean): void {
    if (resets) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  get #shown(): string {
    return this.text.slice(0, 500);
  }
}

async function inTime<T>(promise: Promise<T>, what: () => string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(what())), WAIT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
