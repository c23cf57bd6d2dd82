/** The official suite against a backend directly and through a gateway in front of it, and what that costs. */
import { setTimeout as pause } from "node:timers/promises";
import type { Check } from "../../contract/diagnosis.ts";
import type { BackendConfig, Config } from "../../contract/mod.ts";
import { startGateway } from "../compose.ts";
import type { Gateway } from "../gateway.ts";
import { loadHttpClient } from "../ports.ts";
import { aloneWith } from "./alone.ts";
import { type Latency, measureLatency } from "./latency.ts";
import { findSuite, runSuite, SUITE_VERSION, type SuiteProgram, type SuiteRun } from "./suite.ts";
import { type Bounds, TooLate, within } from "./within.ts";

const LOOK_MS = 10;
/** Checks told by name. */
const SHOWN = 10;
const NO_LIMIT = { rate: { count: 1_000_000, perMs: 1000 } };

export interface ConformanceOptions extends Bounds {
  readonly config: Config;
  readonly secrets: readonly string[];
  /** Name of an HTTP backend. */
  readonly backend: string;
  /** At or above it an installed suite is looked for. */
  readonly cwd: string;
  readonly progress: (text: string) => void;
}

/** @throws the reason of the signal */
export async function examineConformance(options: ConformanceOptions): Promise<readonly Check[]> {
  const { config, backend, cwd } = options;
  const own = config.backends[backend];
  const row = { section: "conformance", name: backend } as const;
  if (own?.url === undefined) {
    const cure = "name a backend with a url: the suite speaks HTTP";
    return [{ ...row, level: "fail", text: "it is no HTTP backend", cure }];
  }
  const suite = findSuite(cwd);
  if (suite === undefined) return [{ ...row, ...NO_SUITE }];
  const gateway = await startGateway(gatewayOptions(options, own));
  try {
    const isUp = await ready(gateway, options);
    if (!isUp) {
      const [status] = gateway.snapshot().backends;
      const text = status?.lastError ?? "it does not answer";
      return [{ ...row, level: "fail", text, cure: `mcp-sentinel doctor ${backend}` }];
    }
    const url = `${gateway.url}${config.server.path}`;
    const judged = await judge({ suite, own, url }, options);
    options.signal.throwIfAborted();
    return [{ ...row, ...judged }, { ...row, ...await cost(own, url, options) }];
  } finally {
    await gateway.stop();
  }
}

/** On free ports of loopback, in memory, with the names the suite asks for. */
function gatewayOptions({ config, secrets, backend }: ConformanceOptions, own: BackendConfig) {
  const alone = aloneWith(config, backend, own);
  const { tls: _server, ...server } = alone.server;
  const { tls: _management, ...management } = alone.management;
  const listen = "127.0.0.1:0";
  return {
    config: {
      ...alone,
      server: { ...server, listen, drain_delay: 0, drain_timeout: 1000 },
      management: { ...management, listen, allow_remote: false },
      catalog: { ...alone.catalog, prefix: "never", sanitize: false },
      limits: { ...alone.limits, default: NO_LIMIT, concurrency: 10_000, per_session: 10_000 },
    },
    source: { name: "doctor", identity: "doctor" },
    secrets,
    notices: [],
    listen: true,
    signals: false,
  } as const;
}

async function ready(gateway: Gateway, bounds: Bounds): Promise<boolean> {
  const state = () => gateway.snapshot().backends[0]?.state;
  try {
    await within(bounds, async (signal) => {
      while (state() === "starting" || gateway.snapshot().state === "starting") {
        await pause(LOOK_MS, undefined, { signal });
      }
    });
  } catch (thrown) {
    if (bounds.signal.aborted || !(thrown instanceof TooLate)) throw thrown;
  }
  return state() === "ready" || state() === "degraded";
}

interface Judging {
  readonly suite: SuiteProgram;
  readonly own: BackendConfig;
  /** Of the gateway. */
  readonly url: string;
}

type Row = Omit<Check, "section" | "name">;

async function judge(
  { suite, own, url }: Judging,
  { signal, progress }: ConformanceOptions,
): Promise<Row> {
  progress(`conformance: through the gateway (suite ${suite.origin})`);
  const through = await runSuite(suite, url, signal);
  if (through.checks.length === 0) return notRun(suite, through);
  const facts = `through the gateway ${counts(through)}`;
  if (Object.keys(own.headers).length > 0) {
    const detail = ["directly: not run, the suite cannot send the headers of this backend"];
    return { level: "ok", text: facts, detail };
  }
  progress("conformance: directly");
  const direct = await runSuite(suite, own.url ?? "", signal);
  const text = `${facts}, directly ${counts(direct)}`;
  const worse = worseIn(direct, through);
  if (worse.length === 0) return { level: "ok", text };
  const more = worse.length > SHOWN ? [`and ${worse.length - SHOWN} more`] : [];
  return {
    level: "fail",
    text,
    detail: [...worse.slice(0, SHOWN).map((name) => `only directly: ${name}`), ...more],
    cure:
      "this is a defect of mcp-sentinel, unless the backend keeps state between runs: report it",
  };
}

function counts({ checks }: SuiteRun): string {
  const passed = checks.filter((check) => check.passed).length;
  return `${passed} passed, ${checks.length - passed} failed`;
}

/** What passes directly and fails through the gateway. */
function worseIn(direct: SuiteRun, through: SuiteRun): readonly string[] {
  const good = new Set(direct.checks.filter(({ passed }) => passed).map(({ name }) => name));
  const bad = through.checks.filter(({ name, passed }) => !passed && good.has(name));
  return [...new Set(bad.map(({ name }) => name))];
}

const INSTALL = `npm install --save-dev @modelcontextprotocol/conformance@${SUITE_VERSION}`;

const NO_SUITE: Row = {
  level: "fail",
  text: "the suite cannot be had: it is not installed here, and there is no npx",
  cure: INSTALL,
};

function notRun({ origin }: SuiteProgram, { output }: SuiteRun): Row {
  const complaints = output.filter((line) => /error|ERR_|not found/i.test(line));
  return {
    level: "fail",
    text: `the suite (${origin}) could not be run`,
    detail: (complaints.length > 0 ? complaints : output).slice(-SHOWN),
    cure: `${INSTALL}, with the Node.js that runs the gateway`,
  };
}

async function cost(
  own: BackendConfig,
  url: string,
  { limitMs, signal, progress }: ConformanceOptions,
): Promise<Row> {
  progress("latency");
  const http = await loadHttpClient();
  try {
    const direct = { url: own.url ?? "", headers: own.headers };
    const ends = { direct, through: { url, headers: {} } };
    const measured = await within(
      { limitMs, signal },
      (aborted) => measureLatency(http, ends, aborted),
    );
    return { level: "ok", text: latencyText(measured) };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    const cure = "the backend needs sessions of revision 2025-06-18 for this";
    return { level: "warn", text: `latency could not be measured: ${reason}`, cure };
  } finally {
    await http.close();
  }
}

function latencyText({ method, direct, through }: Latency): string {
  const part = (name: "p50" | "p95") =>
    `${name} ${through[name].toFixed(2)} ms through, ${direct[name].toFixed(2)} ms directly ` +
    `(${(through[name] / direct[name]).toFixed(2)}×)`;
  return `${method}: ${part("p50")}; ${part("p95")}`;
}
