/** Definitions of tools and prompts: what is remembered of them, how they differ, what is suspicious. */
import * as v from "valibot";
import { count, list, maybe, moment, namesOf, oneOf, text } from "./describe.ts";

/** Reactions to a changed definition. */
export const REACTIONS = ["allow", "warn", "hold"] as const;
export type Reaction = (typeof REACTIONS)[number];

/** What text for a model should not have. A finding is told and blocks nothing. */
export const FINDINGS = {
  bidi: "Characters that reverse or reorder the text on a screen.",
  invisible: "Characters without width: a person does not see what a model reads.",
  tag: "Tag characters or variation selectors that can carry a hidden text.",
  control: "Control characters, such as the escapes that steer a terminal.",
  mixed_script: "A word of a name that mixes alphabets, or letters that only look like ASCII.",
  similar_name: "A name that differs from another one only by case or by Unicode form.",
  foreign_tool: "Text that names a tool of another backend.",
  secret_parameter: "A parameter that asks for a secret.",
  instruction: "Text that gives orders to a model instead of describing.",
  url: "A URL of more than 64 characters.",
  base64: "A run of more than 64 characters that looks encoded.",
} as const;
export type FindingKind = keyof typeof FINDINGS;

export const FindingSchema = v.object({
  kind: oneOf(namesOf(FINDINGS), "What it is."),
  path: text("Where, as JSON path; `$` is the whole definition."),
});
export type Finding = v.InferOutput<typeof FindingSchema>;

export const DefinitionChangeSchema = v.object({
  path: text("Where, as JSON path; `$` is the whole definition."),
  change: oneOf(["added", "removed", "changed"], "What happened there."),
  before: maybe(text("Value before as JSON, around the first difference.")),
  after: maybe(text("Value afterwards as JSON, around the first difference.")),
});
export type DefinitionChange = v.InferOutput<typeof DefinitionChangeSchema>;

/** What is remembered of a definition. */
export const PinSchema = v.object({
  hash: text("SHA-256 of the definition that is approved, or was seen last."),
  firstSeen: moment("When a definition under this name was seen for the first time."),
  approvedBy: maybe(text("Who approved it; missing when it was trusted as it came.")),
  approvedAt: maybe(moment("When it was approved.")),
  previous: maybe(text("SHA-256 of the one before.")),
});
export type PinStatus = v.InferOutput<typeof PinSchema>;

/** Why something is neither listed nor called. */
export const HeldSchema = v.object({
  hash: text("SHA-256 of the definition that waits; an approval names it."),
  since: moment("When this definition was seen first."),
  reason: text("Why."),
  changes: list(DefinitionChangeSchema, "How it differs from the one that is approved."),
  more: maybe(count("Differences beyond these.")),
});
export type HeldStatus = v.InferOutput<typeof HeldSchema>;
