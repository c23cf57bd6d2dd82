/** Structured log on stderr: JSON lines, or one readable line on a terminal (ux.md 6.5). */
import { type EventName, EVENTS, type Severity } from "../contract/mod.ts";
import type { Log, LogLevels } from "../ports/log.ts";

const RANK: Readonly<Record<Severity, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
// deno-lint-ignore no-control-regex -- escaping control characters is the point
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

export type LogLevel = Severity;

export interface LogOptions {
  /** Least severe level that is written at first. */
  readonly level: LogLevel;
  readonly format: "pretty" | "json";
  /** Replaces known secrets. */
  readonly mask: (text: string) => string;
  readonly now: () => number;
  /** Takes one line, newline included. */
  readonly sink: (line: string) => void;
}

/** A log that begins with `level`, which can be changed at any time. */
export function createLog({ level, format, mask, now, sink }: LogOptions): Log & LogLevels {
  const render = format === "json" ? renderJson : renderPretty;
  let least = level;
  return {
    write(event, fields = {}) {
      const { severity } = EVENTS[event];
      if (RANK[severity] < RANK[least]) return;
      sink(mask(render(new Date(now()), severity, event, fields)) + "\n");
    },
    get level() {
      return least;
    },
    setLevel(next) {
      least = next;
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;

function renderJson(at: Date, severity: Severity, event: EventName, fields: Fields): string {
  const line = JSON.stringify({
    ts: at.toISOString(),
    level: severity,
    event,
    msg: EVENTS[event].meaning,
    ...fields,
  });
  return line.replace(CONTROL, escape);
}

function renderPretty(at: Date, severity: Severity, event: EventName, fields: Fields): string {
  const parts = Object.entries(fields).filter(([, value]) => value !== undefined).map((
    [key, value],
  ) => `${key}=${shown(value)}`);
  return [at.toISOString().slice(11, 19), severity.toUpperCase().padEnd(5), event, ...parts].join(
    " ",
  );
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  const safe = text.replace(CONTROL, escape);
  return /[\s"]/.test(safe) ? JSON.stringify(safe).replace(/\\\\u/g, "\\u") : safe;
}

function escape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
