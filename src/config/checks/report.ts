import type { Finding } from "../issue.ts";

/** Collects what a check finds. */
export type Report = (finding: Finding) => void;
