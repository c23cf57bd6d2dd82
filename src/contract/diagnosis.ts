/** What `doctor` found: one row for each thing it looked at. */
import * as v from "valibot";
import { count, list, maybe, namesOf, oneOf, text } from "./describe.ts";

export const CHECK_LEVELS = {
  ok: "as it should be",
  warn: "works, but should be looked after",
  fail: "does not work; makes the exit code 6",
} as const;
export type CheckLevel = keyof typeof CHECK_LEVELS;

/** What is looked at, in this order. */
export const CHECK_SECTIONS = {
  runtime: "the runtime, open files, what ties children to the gateway",
  config: "the configuration file",
  secrets: "references to variables and files",
  listener: "addresses to listen on, and their certificates",
  auth: "issuers of tokens and their keys",
  state: "the folder where a gateway keeps what outlives it",
  audit: "the store of the audit",
  sessions: "the store of sessions",
  backend: "a handshake and the lists of each backend",
  names: "names of tools that clients may find too long",
  gateway: "the gateway that runs",
  conformance: "the official suite, through the gateway and directly",
} as const;
export type CheckSection = keyof typeof CHECK_SECTIONS;

export const CheckSchema = v.object({
  section: oneOf(namesOf(CHECK_SECTIONS), "What was looked at."),
  name: maybe(text("Which one: a backend, a listener, an issuer.")),
  level: oneOf(namesOf(CHECK_LEVELS), "How it is."),
  text: text("What was found."),
  detail: maybe(list(v.string(), "More about it, such as the last lines of stderr.")),
  cure: maybe(text("What to do; several lines when it takes several.")),
});
export type Check = v.InferOutput<typeof CheckSchema>;

export const DiagnosisSchema = v.object({
  items: list(CheckSchema, "In the order of the sections."),
  failures: count("Rows with the level `fail`."),
  warnings: count("Rows with the level `warn`."),
});
export type Diagnosis = v.InferOutput<typeof DiagnosisSchema>;
