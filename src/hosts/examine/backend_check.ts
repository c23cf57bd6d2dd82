/** What was seen of a backend, as a row of a diagnosis. */
import type { Check } from "../../contract/diagnosis.ts";
import { compilePatterns } from "../../core/patterns.ts";
import { childCure, tableOf } from "./child_cures.ts";
import type { Greeted } from "./greeter.ts";
import { httpCure } from "./http_cures.ts";

/** Lines of stderr shown. */
const SHOWN_LINES = 5;
/** Items that were left out, told one by one. */
const SHOWN_ITEMS = 5;
/** What every failure of a link begins with. */
const BEGINNING = /^Cannot [^:]*?backend "[^"]*": /;

/** What was looked at beside, where a backend did not answer. */
export interface Beside {
  /** An address at which it does. */
  readonly better: string | undefined;
  /** What is wrong with the dates of its certificate. */
  readonly certificate: string | undefined;
}

export function backendCheck(greeted: Greeted, beside: Beside): Check {
  const { status: { state } } = greeted;
  const isUp = greeted.lateMs === undefined && (state === "ready" || state === "degraded");
  return isUp ? upCheck(greeted) : downCheck(greeted, beside);
}

function upCheck(greeted: Greeted): Check {
  const { name, status, tookMs, samples } = greeted;
  const { protocol, era, prompts, resources, templates, state, dropped } = status;
  const counts = [
    toolCount(greeted),
    ...some(prompts, "prompt"),
    ...some(resources, "resource"),
    ...some(templates, "template"),
  ];
  const facts = [`${state} in ${Math.round(tookMs)} ms`, `${protocol} (${era})`, ...counts];
  const row = { section: "backend", name, text: facts.join(", ") } as const;
  const detail = [
    ...dropped.invalid === 0 ? [] : [
      `${dropped.invalid} of its messages are none`,
      ...samples.map((line) => `stdout: ${line}`),
    ],
    ...refusedLines(greeted),
  ];
  if (detail.length === 0 && state === "ready") return { ...row, level: "ok" };
  const cure = state === "degraded"
    ? "part of its lists could not be read: look at its log"
    : dropped.invalid > 0
    ? "make it log to stderr: stdout is for messages alone"
    : `rename what clashes in  ${tableOf(name)}, or tell who made it`;
  return { ...row, level: "warn", detail, cure };
}

/** `12 of 51 tools` where some are left out. */
function toolCount({ items, config: { tools: { allow, deny } } }: Greeted): string {
  const all = items.filter(({ kind }) => kind === "tool");
  const [allowed, denied] = [compilePatterns(allow), compilePatterns(deny)];
  const shown = all.filter(({ original }) => allowed(original) && !denied(original)).length;
  const noun = all.length === 1 ? "tool" : "tools";
  return shown === all.length ? `${shown} ${noun}` : `${shown} of ${all.length} ${noun}`;
}

function some(count: number, noun: string): string[] {
  return count === 0 ? [] : [`${count} ${noun}${count === 1 ? "" : "s"}`];
}

function refusedLines({ refused }: Greeted): readonly string[] {
  const lines = refused.slice(0, SHOWN_ITEMS).map(({ kind, name, reason }) =>
    `left out: ${kind} "${name}": ${reason}`
  );
  const more = refused.length - lines.length;
  return more === 0 ? lines : [...lines, `left out: ${more} more`];
}

function downCheck(greeted: Greeted, { better, certificate }: Beside): Check {
  const { name, config, status, samples } = greeted;
  const failure = certificate ?? status.lastError ?? "no answer";
  const cure = status.kind === "stdio"
    ? childCure({ ...greeted, stderr: status.stderr }, failure)
    : httpCure({ name, config, failure, better });
  const detail = [
    ...saidLines(status.stderr),
    ...samples.map((line) => `stdout: ${line}`),
  ];
  return {
    section: "backend",
    name,
    level: "fail",
    text: failureText(greeted, failure),
    ...(detail.length === 0 ? {} : { detail }),
    cure,
  };
}

/** A process that is asked twice says everything twice. */
function saidLines(stderr: readonly string[]): readonly string[] {
  const lines = stderr.filter((line) => line.trim() !== "");
  return [...new Set(lines)].slice(-SHOWN_LINES).map((line) => `stderr: ${line}`);
}

function failureText({ status, lateMs, samples }: Greeted, failure: string): string {
  const { exitCode, signal, kind } = status;
  const waitedMs = lateMs ?? /no answer within (\d+) ms/.exec(failure)?.[1];
  if (waitedMs !== undefined) {
    const what = samples.length > 0 ? "no message" : "no answer";
    return `${what} within ${Number(waitedMs) / 1000} s`;
  }
  const isOfNoUse = failure.startsWith("Cannot use the answer");
  const words = (isOfNoUse ? "its answer is of no use: " : "") + failure.replace(BEGINNING, "");
  // What it wrote stands below, line by line.
  const [what = words] = words.split("; stderr: ");
  if (kind !== "stdio" || !/process ended|process is gone/.test(what)) return what;
  if (signal !== undefined) return `ended by signal ${signal} before initialize`;
  return exitCode === undefined ? what : `exited with code ${exitCode} before initialize`;
}
