/** Acts of operators: one at a time, idempotent, each recorded before it takes effect. */
import * as v from "valibot";
import { count, list, maybe, moment, namesOf, oneOf, text } from "./describe.ts";

export const OPERATIONS = {
  reload: "The configuration was read anew.",
  roll_back: "A reload was taken back: what ran before it is in force again.",
  reconnect: "The connection to a backend was made anew.",
  kill: "A kill switch was set.",
  clear: "A kill switch was cleared.",
  close_session: "A session was ended.",
  log_level: "The least severe level that is logged was changed.",
  approve: "A changed tool definition was approved.",
  shutdown: "The gateway was asked to stop.",
} as const;
export type OperationKind = keyof typeof OPERATIONS;

export const OPERATION_OUTCOMES = {
  applied: "It took effect.",
  unchanged: "There was nothing to do.",
  partial: "It took effect, but something it started does not work; `problems` says what.",
  rejected: "It was refused and changed nothing.",
  failed: "It failed.",
} as const;
export type OperationOutcome = keyof typeof OPERATION_OUTCOMES;

/** Who asked for an operation, or was refused. */
export const ActorSchema = v.object({
  name: text("Name of the token, or `signal`, `file watch`, `grace check`."),
  scope: maybe(oneOf(["read", "admin"], "Scope of the token.")),
  subject: maybe(text("Subject of the client certificate.")),
  address: maybe(text("Address of the caller.")),
});
export type Actor = v.InferOutput<typeof ActorSchema>;

/** Answer of every operation, and what the journal keeps of it. */
export const OperationSchema = v.object({
  operation: oneOf(namesOf(OPERATIONS), "What was done."),
  id: text("UUIDv7 of this operation."),
  outcome: oneOf(namesOf(OPERATION_OUTCOMES), "How it ended."),
  target: maybe(text("What it was done to.")),
  reason: maybe(text("Why, in the words of who asked.")),
  actor: ActorSchema,
  before: count("Revision of the gateway before."),
  revision: count("Revision of the gateway afterwards."),
  at: moment("When it began."),
  durationMs: count("How long it took."),
  problems: maybe(list(v.string(), "What does not work.")),
});
export type Operation = v.InferOutput<typeof OperationSchema>;

/** What a changed key takes. */
export const CHANGE_EFFECTS = {
  live: "takes effect without an interruption",
  reconnect: "the connections of that backend are made anew, in the background",
  restart: "is ignored until the next start",
} as const;

/** One difference between two configurations; values of secrets are masked. */
export const ConfigChangeSchema = v.object({
  path: text("Key, such as `backends.n8n.timeout`."),
  change: oneOf(["added", "removed", "changed"], "What happened to it."),
  before: maybe(text("Value before, as in the file.")),
  after: maybe(text("Value afterwards, as in the file.")),
  effect: oneOf(namesOf(CHANGE_EFFECTS), "What it takes."),
});
export type ConfigChange = v.InferOutput<typeof ConfigChangeSchema>;
export type ChangeEffect = ConfigChange["effect"];
