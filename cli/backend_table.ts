/** Backends as rows. */
import type { BackendState, BackendStatus, CircuitState, Traffic } from "../src/contract/status.ts";
import { counted, type Style } from "./output.ts";
import type { Column } from "./table.ts";
import { briefDuration, milliseconds } from "./text.ts";

/** What needs somebody stands first. */
const ORDER: readonly BackendState[] = [
  "fatal",
  "needs_login",
  "backoff",
  "degraded",
  "starting",
  "stopping",
  "stopped",
  "ready",
  "disabled",
];

const STYLES: Readonly<Partial<Record<BackendState, Style>>> = {
  fatal: "error",
  needs_login: "error",
  backoff: "error",
  degraded: "warning",
  starting: "warning",
  ready: "good",
  disabled: "faint",
};

/** Worst first; equals keep their order. */
export function worstFirst(backends: readonly BackendStatus[]): BackendStatus[] {
  return backends.toSorted((one, other) => rank(one) - rank(other));
}

function rank(backend: BackendStatus): number {
  // What keeps calls from a healthy backend matters more than health.
  const isKept = backend.state === "ready" && hindrance(backend) !== undefined;
  return ORDER.indexOf(isKept ? "starting" : backend.state);
}

/** What keeps all calls from a backend that may be well. */
function hindrance({ state, killed, circuit }: BackendStatus): string | undefined {
  if (killed !== undefined) return "killed";
  return state === "ready" || state === "degraded" ? KEPT_BY[circuit.state] : undefined;
}

const KEPT_BY: Readonly<Record<CircuitState, string | undefined>> = {
  closed: undefined,
  open: "circuit open",
  half_open: "half open",
};

/** Columns at the moment `now`, milliseconds since 1970. */
export function backendColumns(now: number): readonly Column<BackendStatus>[] {
  return [
    { title: "NAME", text: ({ name }) => name, cut: true },
    { title: "KIND", text: ({ kind }) => kind },
    {
      title: "STATE",
      text: (backend) => [backend.state, hindrance(backend)].filter(Boolean).join(", "),
      style: (backend) => hindrance(backend) === undefined ? STYLES[backend.state] : "warning",
    },
    { title: "TOOLS", text: ({ tools }) => String(tools), right: true },
    { title: "CALLS/M", text: ({ traffic }) => String(traffic.callsPerMinute), right: true },
    { title: "ERR", text: ({ traffic }) => errors(traffic), right: true },
    { title: "P95", text: ({ traffic }) => time(traffic.p95Ms), right: true },
    { title: "SINCE", text: ({ since }) => age(since, now), right: true, wide: true },
    { title: "TRIES", text: ({ restarts }) => String(restarts), right: true, wide: true },
    { title: "IN FLIGHT", text: ({ inFlight }) => String(inFlight), right: true, wide: true },
    { title: "WAITING", text: ({ queued }) => String(queued), right: true, wide: true },
    { title: "PING", text: ({ lastPing }) => ping(lastPing), right: true, wide: true },
    { title: "LINKS", text: ({ links }) => String(links), right: true, wide: true },
    {
      title: "PID",
      text: ({ pid }) => pid === undefined ? "–" : String(pid),
      right: true,
      wide: true,
    },
    { title: "PROTO", text: ({ protocol }) => protocol ?? "–", wide: true },
    { title: "DETAIL", text: (backend) => cause(backend, now), cut: true },
  ];
}

/** Share of failed calls; a dash where there was none. */
export function errors({ callsPerMinute, errorRatio }: Traffic): string {
  return callsPerMinute === 0 ? "–" : `${(errorRatio * 100).toFixed(1)}%`;
}

/** A time to read at a glance; a dash where nothing was measured. */
export function time(ms: number | undefined): string {
  return ms === undefined ? "–" : milliseconds(ms);
}

function ping(last: BackendStatus["lastPing"]): string {
  if (last === undefined) return "–";
  return last.ok ? milliseconds(last.ms) : "failed";
}

/** How long ago a moment was. */
export function age(moment: string, now: number): string {
  return briefDuration((now - Date.parse(moment)) / 1000);
}

/** Why it is as it is, in one line: `exit 1, next try in 14s (after 5): … `. */
function cause(backend: BackendStatus, now: number): string {
  const { state, killed, lastError, stderr } = backend;
  if (killed !== undefined) return `killed: ${killed}`;
  if (state === "disabled" || state === "stopped") return "";
  const concerns = concernsOf(backend, now).join(" · ");
  if (state === "ready" || (state === "degraded" && concerns !== "")) return concerns;
  const last = stderr.at(-1);
  const isNew = last !== undefined && lastError?.includes(last) !== true;
  const why = [lastError ?? "", isNew ? last : ""].filter((text) => text !== "").join(" · ");
  const when = retry(backend, now);
  return when === "" || why === "" ? `${when}${why}` : `${when}: ${why}`;
}

/** What is not well with a backend that answers. */
function concernsOf(backend: BackendStatus, now: number): string[] {
  const { circuit, queued, lastPing } = backend;
  return [
    ...(circuit.state === "closed" ? [] : [circuitText(circuit, now)]),
    ...(circuit.tools.length === 0 ? [] : [toolsText(circuit.tools)]),
    ...(queued === 0 ? [] : [`${counted(queued, "call waits", "calls wait")} for their turn`]),
    ...(lastPing?.ok === false ? ["the last ping failed"] : []),
  ];
}

/** What the circuit of the whole backend does: `circuit open, next probe in 14s`. */
export function circuitText({ state, until }: BackendStatus["circuit"], now: number): string {
  const word = `circuit ${state.replace("_", " ")}`;
  if (state === "half_open") return `${word}: one probe decides`;
  if (until === undefined) return word;
  const seconds = (Date.parse(until) - now) / 1000;
  return `${word}, next probe ${seconds < 1 ? "now" : `in ${briefDuration(seconds)}`}`;
}

function toolsText(tools: readonly string[]): string {
  const shown = tools.slice(0, MAX_TOOLS).join(", ");
  const more = tools.length > MAX_TOOLS ? ` and ${tools.length - MAX_TOOLS} more` : "";
  return `circuit not closed of ${shown}${more}`;
}

/** Tools that one line names. */
const MAX_TOOLS = 3;

function retry({ exitCode, signal, nextRetry, restarts }: BackendStatus, now: number): string {
  const ended = signal ?? (exitCode === undefined ? undefined : `exit ${exitCode}`);
  const next = nextRetry === undefined
    ? undefined
    : `retry in ${briefDuration((Date.parse(nextRetry) - now) / 1000)} (${restarts} so far)`;
  return [ended, next].filter((text) => text !== undefined).join(", ");
}
