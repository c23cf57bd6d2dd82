/** The management API over the real core: in process, or on a port of this machine. */
import type { ConfigInput, CoreParts, LoggedEvent, TestCore } from "./core.ts";
import { startCore } from "./core.ts";
import { type Control, type HttpIncoming, toFetch } from "../../src/core/mod.ts";
import { SystemClock } from "../../src/hosts/clock.ts";
import { type Listener, serve } from "../../src/hosts/serve.ts";
import { createManage, type Manage, type ManageSettings } from "../../src/manage/mod.ts";
import { uuidv7 } from "uuidv7";

/** Tokens of a gateway under test; two of one name are valid side by side. */
export const TOKENS = {
  read: "read-0123456789abcdef0123456789abcdef",
  admin: "admin-0123456789abcdef0123456789abcdef",
  adminNext: "admin-next-0123456789abcdef0123456789abcdef",
  expired: "expired-0123456789abcdef0123456789abcdef",
  wrong: "wrong-0123456789abcdef0123456789abcdef",
} as const;

const SETTINGS: ManageSettings = {
  tokens: [
    { name: "grafana", scope: "read", value: TOKENS.read },
    { name: "oncall", scope: "admin", value: TOKENS.admin },
    { name: "oncall", scope: "admin", value: TOKENS.adminNext },
    { name: "former", scope: "admin", value: TOKENS.expired, expires: Date.UTC(2025, 0, 1) },
  ],
  publicHealth: true,
  hostnames: new Set(["gateway.example"]),
};

export interface ManagementOptions extends CoreParts {
  readonly config?: ConfigInput;
  /** Members of the control that a test answers itself. */
  readonly control?: Partial<Control>;
}

export interface AskOptions {
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, or as it is when it is a text. */
  readonly body?: unknown;
  readonly address?: string;
}

// deno-lint-ignore no-explicit-any -- tests look into answers of any shape
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: Json;
  readonly body: string | ReadableStream<Uint8Array> | undefined;
}

export interface TestManagement {
  readonly gateway: TestCore;
  readonly manage: Manage;
  /** What the management API reported, as it went into the event log. */
  readonly log: readonly LoggedEvent[];
  /** As after a reload. */
  settings: ManageSettings;
  /** A request without a network. `target` is path and query. */
  ask(method: string, target: string, options?: AskOptions): Promise<Answer>;
  /** Listens on a free port of this machine. */
  listen(): Promise<URL>;
  stop(): Promise<void>;
}

export async function startManagement(
  { config = {}, control = {}, ...parts }: ManagementOptions = {},
): Promise<TestManagement> {
  const gateway = await startCore(config, parts);
  const clock = parts.clock ?? new SystemClock();
  const log: LoggedEvent[] = [];
  const listeners: Listener[] = [];
  const manage = createManage({
    control: replaced(gateway.core.control, control),
    clock,
    log: gateway.core.control.events.beside({
      write: (event, fields = {}) => void log.push({ event, fields }),
    }),
    telemetry: gateway.telemetry,
    facts: {
      version: "0.0.0-test",
      runtime: { name: "node", version: "24.0.0" },
      pid: 1,
      endpoint: () => "http://127.0.0.1:8808/mcp",
    },
    settings: () => test.settings,
    metrics: (accept) => gateway.telemetry.expose(accept),
    requestId: uuidv7,
  });
  const test: TestManagement = {
    gateway,
    manage,
    log,
    settings: SETTINGS,
    ask: (method, target, options = {}) => ask(manage, { method, target, ...options }),
    listen: async () => {
      const listener = await serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch: toFetch(manage.handle),
        handle: manage.handle,
        maxBodyBytes: 65_536,
        clock: new SystemClock(),
      });
      listeners.push(listener);
      return new URL(`http://127.0.0.1:${listener.port}`);
    },
    stop: async () => {
      manage.closeStreams();
      for (const listener of listeners) {
        const closed = listener.close();
        listener.abort();
        await closed;
      }
      await gateway.stop();
    },
  };
  return test;
}

/** Members of a class with private fields can only be replaced from outside. */
function replaced(control: Control, members: Partial<Control>): Control {
  return new Proxy(control, {
    get: (target, name) => {
      if (name in members) return members[name as keyof Control];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

interface Asking extends AskOptions {
  readonly method: string;
  readonly target: string;
}

async function ask(
  manage: Manage,
  { method, target, token, headers = {}, body, address = "127.0.0.1" }: Asking,
): Promise<Answer> {
  const bytes = new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
  const sent: Record<string, string> = {
    host: "127.0.0.1:8809",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": String(bytes.length) }),
    ...headers,
  };
  const incoming: HttpIncoming = {
    method,
    target,
    header: (name) => sent[name],
    headerBytes: () => 0,
    body: () => Promise.resolve(body === undefined ? new Uint8Array() : bytes),
    abandon: () => {},
    onGone: () => {},
  };
  const answer = await manage.handle(incoming, { address });
  const isJson = answer.headers["content-type"] === "application/json";
  return {
    ...answer,
    json: isJson && typeof answer.body === "string" ? JSON.parse(answer.body) : undefined,
  };
}
