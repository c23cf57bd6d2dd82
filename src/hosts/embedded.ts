/** The gateway as a part of another program: no command line, no signals, no file that is watched. */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { parseConfig } from "../config/parse.ts";
import type { Snapshot } from "../contract/mod.ts";
import type { FetchHandler, Interceptor } from "../core/mod.ts";
import type { MessageLink } from "../ports/message_link.ts";
import { startGateway } from "./compose.ts";

export type { FetchHandler, Interceptor } from "../core/mod.ts";
export type { MessageLink } from "../ports/message_link.ts";

export interface EmbedOptions {
  /** Text of a `sentinel.toml`; relative paths in it count from the working directory. */
  readonly config: string;
  /** What `${env:NAME}` stands for; default: the environment of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Whether `server.listen` and `management.listen` are opened; default false: requests come by `fetch`. */
  readonly listen?: boolean;
  /** Absolute folder for journal, audit and state; without it everything is in memory and gone at the end. */
  readonly stateDir?: string;
  /** They run in this order, after those that `interceptors.order` names. */
  readonly interceptors?: readonly Interceptor[];
}

export interface EmbeddedGateway {
  /** Answers whatever the data plane answers (`/mcp`, `/sse`, `/health`, …). Never rejects. */
  readonly fetch: FetchHandler;
  /** Base URLs; undefined unless it listens. */
  readonly url: string | undefined;
  readonly managementUrl: string | undefined;
  /** What it is doing now: state, backends, catalog. */
  snapshot(): Snapshot;
  /** Serves a pipe of messages, such as a socket; resolves when its client has gone. */
  attach(link: MessageLink): Promise<void>;
  /** Drains and ends everything. Idempotent. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  /** Resolves when it has stopped, also by an operator where `management.allow_shutdown` is on. */
  readonly finished: Promise<void>;
}

const NAME = "embedded configuration";

/**
 * Starts a gateway in this process; its backends connect meanwhile.
 * @throws ConfigError with everything that is wrong; else what `startGateway` throws
 */
export async function openGateway(options: EmbedOptions): Promise<EmbeddedGateway> {
  const { config: text, env = process.env, listen = false, stateDir, interceptors = [] } = options;
  const parsed = await parseConfig(text, {
    file: NAME,
    env,
    readFile: async (path) => {
      const file = resolve(path);
      return { text: await readFile(file, "utf8"), mode: (await stat(file)).mode };
    },
    now: Date.now(),
  });
  const gateway = await startGateway({
    config: parsed.config,
    secrets: parsed.secrets,
    notices: [...parsed.notices, ...parsed.warnings],
    source: { name: NAME, identity: process.cwd() },
    listen,
    interceptors,
    signals: false,
    ...(stateDir === undefined ? {} : { stateDir }),
  });
  return { ...gateway, [Symbol.asyncDispose]: () => gateway.stop() };
}
