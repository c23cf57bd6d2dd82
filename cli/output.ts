/** How results, warnings and errors look. */
import { styleText } from "node:util";
import type { CliKind, CliLine, CliOutput } from "../src/contract/cli_outputs.ts";
import type { FailureDetails } from "./exit.ts";
import type { Io, Sink } from "./io.ts";
import { visible, visibleJson } from "./text.ts";

/** Options every command has. */
export interface GlobalOptions {
  readonly config?: string;
  readonly profile?: string;
  /** Duration, such as `30s`. */
  readonly timeout?: string;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly json?: true;
  readonly color?: boolean;
}

const STYLES = {
  strong: "bold",
  faint: "dim",
  good: "green",
  error: ["bold", "red"],
  warning: ["bold", "yellow"],
  place: "cyan",
  mark: "red",
} as const;

export type Style = keyof typeof STYLES;
export type Painter = (style: Style, text: string) => string;

export class Output {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  /** Paints for stdout and for stderr: only one of them may be a terminal. */
  readonly paint: Painter;
  readonly paintError: Painter;
  readonly #io: Io;

  constructor(io: Io, options: GlobalOptions) {
    this.#io = io;
    this.isJson = options.json === true;
    this.isQuiet = options.quiet === true;
    this.paint = painterFor(io.out, io.env, options);
    this.paintError = painterFor(io.err, io.env, options);
  }

  /** A line of the result. */
  line(text = ""): void {
    this.#io.out.write(`${text}\n`);
  }

  /** Cells of a line on a terminal; undefined for files and pipes, which hold any length. */
  get width(): number | undefined {
    return this.#io.out.isTerminal ? this.#io.out.columns : undefined;
  }

  /** The result as one JSON object; `kind` names its schema in the table of all outputs. */
  json<Kind extends CliKind>(kind: Kind, body: CliOutput<Kind>): void {
    this.#io.out.write(`${visibleJson(named(kind, body), 2)}\n`);
  }

  /** One JSON object of many, on a line of its own. */
  jsonLine<Kind extends CliLine>(kind: Kind, body: CliOutput<Kind>): void {
    this.#io.out.write(`${visibleJson(named(kind, body))}\n`);
  }

  /** Something to know that is not the result; silent with --quiet. */
  note(text: string): void {
    if (!this.isQuiet) this.#io.err.write(`${text}\n`);
  }

  /** Something to look after; silent with --quiet. */
  warn(text: string): void {
    this.note(`${this.paintError("warning", "warning:")} ${text}`);
  }

  /** Text for stderr, quiet or not. */
  problem(text: string): void {
    this.#io.err.write(`${text}\n`);
  }

  /** Why the command failed, and what to do. */
  error(message: string, hint: string, details: FailureDetails = {}): void {
    this.problem(`${this.paintError("error", "error:")} ${message}`);
    for (const issue of details.issues ?? []) this.problem(issueLine(issue));
    if (details.reason !== undefined) this.problem(`  reason: ${visible(details.reason)}`);
    if (hint !== "") this.problem(`  help: ${hint}`);
    if (details.request !== undefined) this.problem(`  request: ${visible(details.request)}`);
  }
}

function named(kind: CliKind, body: object): Record<string, unknown> {
  return { schema: `mcp-sentinel/v1/${kind}`, ...body };
}

/** A mistake of a configuration that another machine has read. */
function issueLine(
  { file, line, column, message, hint }: Readonly<Record<string, unknown>>,
): string {
  const place = [file, line, column].flatMap(plain).join(":");
  const parts = [place, message, hint].flatMap(plain).filter((part) => part !== "");
  return `  --> ${visible(parts.join("  "))}`;
}

function plain(value: unknown): string[] {
  return typeof value === "string" || typeof value === "number" ? [String(value)] : [];
}

/** Color on terminals only; --no-color, NO_COLOR, FORCE_COLOR and TERM=dumb decide before that. */
export function hasColor(sink: Sink, env: Io["env"], options: GlobalOptions): boolean {
  if (options.color === false || (env["NO_COLOR"] ?? "") !== "") return false;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return sink.isTerminal && env["TERM"] !== "dumb";
}

function painterFor(sink: Sink, env: Io["env"], options: GlobalOptions): Painter {
  if (!hasColor(sink, env, options)) return (_style, text) => text;
  return (style, text) => styleText([...[STYLES[style]].flat()], text, { validateStream: false });
}

/** Two columns: names, and what belongs to them. */
export function columns(rows: readonly (readonly [string, string])[], indent = "  "): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${indent}${name.padEnd(width)}   ${text}`.trimEnd());
}

/** `1 backend`, `3 backends`. */
export function counted(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`;
}
