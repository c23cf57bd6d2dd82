/** Backends as rows. */
import type { BackendState, BackendStatus, Traffic } from "../src/contract/status.ts";
import type { Style } from "./output.ts";
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

function rank({ state, killed }: BackendStatus): number {
  const found = ORDER.indexOf(state);
  // A switch on a healthy backend matters more than health.
  return killed !== undefined && state === "ready" ? ORDER.indexOf("starting") : found;
}

/** Columns at the moment `now`, milliseconds since 1970. */
export function backendColumns(now: number): readonly Column<BackendStatus>[] {
  return [
    { title: "NAME", text: ({ name }) => name, cut: true },
    { title: "KIND", text: ({ kind }) => kind },
    {
      title: "STATE",
      text: ({ state, killed }) => killed === undefined ? state : `${state}, killed`,
      style: ({ state, killed }) => killed === undefined ? STYLES[state] : "warning",
    },
    { title: "TOOLS", text: ({ tools }) => String(tools), right: true },
    { title: "CALLS/M", text: ({ traffic }) => String(traffic.callsPerMinute), right: true },
    { title: "ERR", text: ({ traffic }) => errors(traffic), right: true },
    { title: "P95", text: ({ traffic }) => time(traffic.p95Ms), right: true },
    { title: "SINCE", text: ({ since }) => age(since, now), right: true, wide: true },
    { title: "TRIES", text: ({ restarts }) => String(restarts), right: true, wide: true },
    { title: "IN FLIGHT", text: ({ inFlight }) => String(inFlight), right: true, wide: true },
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

/** How long ago a moment was. */
export function age(moment: string, now: number): string {
  return briefDuration((now - Date.parse(moment)) / 1000);
}

/** Why it is as it is, in one line: `exit 1, next try in 14s (after 5): … `. */
function cause(backend: BackendStatus, now: number): string {
  const { state, killed, lastError, stderr } = backend;
  if (killed !== undefined) return `killed: ${killed}`;
  if (state === "ready" || state === "disabled" || state === "stopped") return "";
  const last = stderr.at(-1);
  const isNew = last !== undefined && lastError?.includes(last) !== true;
  const why = [lastError ?? "", isNew ? last : ""].filter((text) => text !== "").join(" · ");
  const when = retry(backend, now);
  return when === "" || why === "" ? `${when}${why}` : `${when}: ${why}`;
}

function retry({ exitCode, signal, nextRetry, restarts }: BackendStatus, now: number): string {
  const ended = signal ?? (exitCode === undefined ? undefined : `exit ${exitCode}`);
  const next = nextRetry === undefined
    ? undefined
    : `retry in ${briefDuration((Date.parse(nextRetry) - now) / 1000)} (${restarts} so far)`;
  return [ended, next].filter((text) => text !== undefined).join(", ");
}
