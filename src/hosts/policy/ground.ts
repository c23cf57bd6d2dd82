import type { Path } from "../../config/issue.ts";

/** A line of the configuration that says something about a call. */
export interface Ground {
  readonly kind: "backend" | "role" | "kill" | "rule" | "limit" | "redact" | "unknown";
  /** In words. */
  readonly text: string;
  /** Its key; undefined where no line says it. */
  readonly path?: Path;
}
