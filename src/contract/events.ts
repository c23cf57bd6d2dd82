/** Every event the gateway can report, in one table. The same names appear in the log. */
import * as v from "valibot";
import { moment, oneOf, text } from "./describe.ts";

export const SEVERITIES = ["debug", "info", "warn", "error"] as const;
export type Severity = (typeof SEVERITIES)[number];

interface EventRow {
  readonly severity: Severity;
  readonly meaning: string;
  /** False: written to the log only, not kept in the event log. */
  readonly kept?: false;
}

export const EVENTS = {
  "gateway.started": { severity: "info", meaning: "The gateway accepts requests." },
  "gateway.stopping": { severity: "info", meaning: "A stop was asked for; calls drain." },
  "gateway.stopped": { severity: "info", meaning: "Everything is closed." },
  "gateway.unprotected": {
    severity: "warn",
    meaning:
      "Children may outlive a crash of the gateway, or pass their limits: `part` says what has failed.",
  },
  "config.no_effect": {
    severity: "warn",
    meaning: "A section of the configuration is valid but has no effect in this version.",
  },
  "config.reloaded": {
    severity: "info",
    meaning: "A changed configuration was applied; `changes` counts what differs.",
  },
  "config.unchanged": { severity: "info", meaning: "A reload found nothing changed." },
  "config.rejected": {
    severity: "error",
    meaning: "A configuration was refused; what runs is unchanged.",
  },
  "config.rolled_back": {
    severity: "error",
    meaning:
      "A reload was taken back: within `reload.grace` a backend that had answered did not any more; " +
      "`reason` says which.",
  },
  "config.needs_restart": {
    severity: "warn",
    meaning: "A changed value is ignored until the next start.",
  },
  "operation.finished": {
    severity: "info",
    meaning: "An operator's act is over: who, what, outcome, revision before and after.",
  },
  "kill.set": { severity: "warn", meaning: "A kill switch was set; calls to its target end here." },
  "kill.cleared": { severity: "warn", meaning: "A kill switch was cleared." },
  "log.level_changed": { severity: "info", meaning: "The log writes from another level on." },
  "management.started": { severity: "info", meaning: "The management API accepts requests." },
  "management.refused": {
    severity: "warn",
    meaning: "A request to the management API was refused: no valid token, or a scope too small.",
  },
  "management.limited": {
    severity: "warn",
    meaning: "An address failed to sign in too often; its requests are refused for a while.",
  },
  "management.slow_reader": {
    severity: "warn",
    meaning: "A reader of a management stream was too slow; its stream was ended.",
  },
  "state.failed": {
    severity: "error",
    meaning: "The state store or the journal could not be written.",
  },
  "session.ended": {
    severity: "info",
    meaning: "A session was closed by an operator, by a changed configuration, or with its token.",
  },
  "backend.starting": { severity: "info", meaning: "A connection to the backend is being made." },
  "backend.ready": { severity: "info", meaning: "The backend answered the handshake." },
  "backend.era": {
    severity: "info",
    meaning: "It was found out which era of the protocol the backend speaks.",
  },
  "backend.degraded": {
    severity: "warn",
    meaning: "The backend is connected, but part of its catalog could not be read.",
  },
  "backend.failed": { severity: "error", meaning: "The backend failed; a retry is scheduled." },
  "backend.fatal": {
    severity: "error",
    meaning: "The backend failed too often in a row; it waits for an operator.",
  },
  "backend.exited": { severity: "error", meaning: "The process of a stdio backend ended." },
  "backend.stopped": { severity: "info", meaning: "The backend was stopped." },
  "backend.circuit_opened": {
    severity: "error",
    meaning:
      "Calls to the backend, or to the tool that is named, failed too often: they are refused at once.",
  },
  "backend.circuit_closed": {
    severity: "info",
    meaning: "A probe succeeded: calls pass again.",
  },
  "backend.unresponsive": {
    severity: "error",
    meaning: "The backend does not answer pings; it is connected anew.",
  },
  "backend.limit_exceeded": {
    severity: "error",
    meaning:
      "The processes of the backend used more than they may and were ended; `limit` says what.",
  },
  "backend.state_lost": {
    severity: "warn",
    meaning:
      "A connection was made anew, and the backend has forgotten what it knew of the one before; `lost` says " +
      "what could not be told again.",
  },
  "backend.invalid_output": {
    severity: "warn",
    meaning: "A stdio backend wrote something to stdout that is not a message.",
  },
  "backend.identity_changed": {
    severity: "warn",
    meaning: "The backend calls itself another name than at its last handshake.",
  },
  "backend.stray": {
    severity: "warn",
    meaning: "A process left by an earlier run was found and ended.",
  },
  "catalog.changed": { severity: "info", meaning: "The merged catalog has a new revision." },
  "catalog.refused": {
    severity: "warn",
    meaning: "An item of a backend was left out of the catalog, with the reason.",
  },
  "catalog.warning": {
    severity: "warn",
    meaning: "A name of the catalog was cut, or clients may find it too long.",
  },
  "definition.changed": {
    severity: "warn",
    meaning:
      "A tool's definition differs from the one that was seen or approved before; `changes` says where.",
  },
  "definition.held": {
    severity: "error",
    meaning: "A changed tool is neither listed nor called until an operator approves it.",
  },
  "definition.approved": { severity: "info", meaning: "An operator approved a changed tool." },
  "definition.suspicious": {
    severity: "warn",
    meaning:
      "A definition has something that text for a model should not have; `findings` says what.",
  },
  "rule.warned": {
    severity: "warn",
    meaning: "A rule with the action warn matched; at most one line for each rule in a second.",
  },
  "interceptor.failed": {
    severity: "error",
    meaning: "A rule or an interceptor failed or took too long; what it looked at was refused.",
  },
  "audit.recovered": {
    severity: "warn",
    meaning: "Calls that were under way when the gateway was killed were closed as `unknown`.",
  },
  "audit.store_failed": {
    severity: "error",
    meaning: "The store of the audit does not take rows; they wait in the journal.",
  },
  "audit.store_recovered": {
    severity: "info",
    meaning: "The store of the audit takes rows again.",
  },
  "audit.filling": {
    severity: "warn",
    meaning:
      "The journal of the audit is four fifths full; beyond its size `audit.when_full` decides.",
  },
  "audit.dropped": {
    severity: "error",
    meaning: "Rows of the audit were dropped; a row of kind `gap` counts them.",
  },
  "store.failed": {
    severity: "error",
    meaning: "A store that replicas share cannot be used; each replica goes on by itself.",
  },
  "store.recovered": {
    severity: "info",
    meaning: "A store that replicas share can be used again.",
  },
  "store.unsafe": {
    severity: "warn",
    meaning:
      "A store that replicas share may lose what it is given, or holds what nobody here wrote; `reason` says which.",
  },
  "gateway.overloaded": {
    severity: "warn",
    meaning: "New requests are refused: the event loop or the memory is over its limit.",
  },
  "gateway.relieved": { severity: "info", meaning: "New requests are taken again." },
  "telemetry.failed": {
    severity: "warn",
    meaning:
      "The collector does not take what it gets; the gateway goes on, and what does not fit in the queue is " +
      "dropped. `signal` says whether traces or metrics.",
  },
  "telemetry.recovered": { severity: "info", meaning: "The collector takes what it gets again." },
  "tls.renewed": {
    severity: "info",
    meaning: "A changed certificate was read; new connections get it.",
  },
  "tls.rejected": {
    severity: "error",
    meaning: "A changed certificate or key cannot be used; the one before goes on.",
  },
  "session.restored": {
    severity: "info",
    meaning:
      "A session of an earlier run or of another replica goes on here; `lost` says what could not be kept.",
    kept: false,
  },
  "session.vanished": {
    severity: "info",
    meaning:
      "A client took nothing of a stream for long: the stream was ended, its session stays until it is idle.",
    kept: false,
  },
  "session.opened": { severity: "debug", meaning: "A client opened a session.", kept: false },
  "session.closed": { severity: "debug", meaning: "A session ended.", kept: false },
  "client.refused": {
    severity: "info",
    meaning:
      "A request came without a valid token; `reason` says what was wrong with it. At most " +
      "one line for each reason in a second, `more` counts those between.",
    kept: false,
  },
  "issuer.unavailable": {
    severity: "warn",
    meaning:
      "The keys of an issuer could not be fetched; those known are used for at most an hour.",
  },
  "stream.overflow": {
    severity: "warn",
    meaning: "A client read too slowly; its stream was ended.",
  },
  "call.finished": { severity: "info", meaning: "One call was answered.", kept: false },
  "call.defect": { severity: "error", meaning: "A call failed by a defect of the gateway." },
} as const satisfies Record<string, EventRow>;

export type EventName = keyof typeof EVENTS;

/** One entry of the event log. */
export const GatewayEventSchema = v.object({
  cursor: text("Decimal number, strictly increasing, also over restarts."),
  at: moment("When it happened."),
  event: text("Name of the event table."),
  severity: oneOf(SEVERITIES, "How much it matters."),
  fields: v.pipe(v.record(v.string(), v.unknown()), v.description("What is known about it.")),
});
export type GatewayEvent = v.InferOutput<typeof GatewayEventSchema>;
