/** The gateway for isolates, in this process: what a platform does is hand it requests and wait. */
import type { FetchHandler } from "../../src/core/mod.ts";
import { type Bindings, createEdge } from "../../src/hosts/edge/mod.ts";

/** One isolate with its bindings. */
export interface RunningEdge {
  readonly fetch: FetchHandler;
  /** Waits for what goes on after the answers, and ends it. */
  stop(): Promise<void>;
}

export type StartEdge = (bindings: Bindings) => Promise<RunningEdge>;

export const startHere: StartEdge = (bindings) => {
  const edge = createEdge();
  const later: Promise<unknown>[] = [];
  const context = { waitUntil: (promise: Promise<unknown>) => void later.push(promise) };
  return Promise.resolve({
    fetch: (request) => edge.fetch(request, bindings, context),
    stop: async () => void await Promise.all(later),
  });
};

/** What a test writes in place of sections of the configuration. */
export interface Written {
  /** Name and URL. */
  readonly backends: Readonly<Record<string, string>>;
  /** Default: nothing is recorded. */
  readonly audit?: string;
  /** Default: a limit that no test reaches. */
  readonly limits?: string;
  /** Further sections. */
  readonly more?: string;
  /** Further bindings; sign-in may be off unless they say otherwise. */
  readonly bindings?: Bindings;
}

export function bindingsOf(written: Written): Bindings {
  const { backends, audit = 'store = "off"', more = "", bindings = {} } = written;
  const { limits = 'default = { rate = "10000/s" }' } = written;
  const sections = Object.entries(backends).map(([name, url]) =>
    `[backends.${name}]\nurl = ${JSON.stringify(url)}\n`
  );
  const config = `version = 1\n[audit]\n${audit}\n[limits]\n${limits}\n${sections.join("")}${more}`;
  return { SENTINEL_CONFIG: config, SENTINEL_WITHOUT_SIGN_IN: "yes", ...bindings };
}
