/** What is wrong with a configuration, for people, editors and CI. */

/** Keys and list positions from the top. */
export type Path = readonly (string | number)[];

export type IssueCode =
  | "syntax"
  | "unknown_key"
  | "missing_key"
  | "wrong_type"
  | "wrong_value"
  | "bad_name"
  | "unknown_name"
  | "conflict"
  | "bad_reference"
  | "unresolved"
  | "secret_literal"
  | "unsafe";

/** A problem before its place in the file is known. */
export interface Finding {
  readonly code: IssueCode;
  readonly path: Path;
  /** What to point at: the key, its value, or the header of the table. */
  readonly at: "key" | "value" | "table";
  readonly message: string;
  /** What to do about it; may be empty. */
  readonly hint: string;
  /** A second place that belongs to the problem. */
  readonly also?: Path;
  /** Text within the value to point at. */
  readonly part?: string;
  /** Characters of the value to point at, as it reads: escapes are resolved. */
  readonly range?: { readonly start: number; readonly end: number };
}

/** One source line of an issue; secrets are already replaced by bullets. */
export interface FrameLine {
  readonly number: number;
  readonly text: string;
  /** What to underline: 0-based column and width in the text. */
  readonly mark?: { readonly column: number; readonly width: number };
}

export interface Issue {
  readonly code: IssueCode;
  /** File, or the environment variable or option a value came from. */
  readonly file: string;
  /** From 1; 0 when the value does not stand in the file. */
  readonly line: number;
  readonly column: number;
  /** First column after the place. */
  readonly endColumn: number;
  /** Dotted path of the key, as in `config explain`. */
  readonly path: string;
  readonly message: string;
  readonly hint: string;
  /** The table around the place, as its header. */
  readonly context?: string;
  readonly frame?: readonly FrameLine[];
}

/** A configuration that cannot be used, with everything that is wrong with it, in the order of the file. */
export class ConfigError extends Error {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super(`Cannot use the configuration: ${issues[0]?.message ?? "unknown reason"}`);
    this.name = "ConfigError";
    this.issues = issues;
  }

  /** True when nothing but the safety of the configuration is wrong: exit code 78, not 3. */
  get unsafe(): boolean {
    return this.issues.every((issue) => issue.code === "unsafe");
  }
}

/** `["limits", "tools", "gh__*"]` → `limits.tools."gh__*"`. */
export function formatPath(path: Path): string {
  return path.map((segment) =>
    typeof segment === "number" || /^[A-Za-z0-9_-]+$/.test(segment)
      ? String(segment)
      : JSON.stringify(segment)
  ).join(".");
}
