/** Every event the gateway can report, in one table. The same names appear in the log. */

export type Severity = "debug" | "info" | "warn" | "error";

interface EventRow {
  readonly severity: Severity;
  readonly meaning: string;
}

export const EVENTS = {
  "gateway.started": { severity: "info", meaning: "The gateway accepts requests." },
  "gateway.stopping": { severity: "info", meaning: "A stop was asked for; calls drain." },
  "gateway.stopped": { severity: "info", meaning: "Everything is closed." },
  "gateway.unprotected": {
    severity: "warn",
    meaning: "Children may outlive a crash of the gateway: their guard or their record failed.",
  },
  "config.no_effect": {
    severity: "warn",
    meaning: "A section of the configuration is valid but has no effect in this version.",
  },
  "backend.starting": { severity: "info", meaning: "A connection to the backend is being made." },
  "backend.ready": { severity: "info", meaning: "The backend answered the handshake." },
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
  "backend.invalid_output": {
    severity: "warn",
    meaning: "A stdio backend wrote something to stdout that is not a message.",
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
  "session.opened": { severity: "debug", meaning: "A client opened a session." },
  "session.closed": { severity: "debug", meaning: "A session ended." },
  "stream.overflow": {
    severity: "warn",
    meaning: "A client read too slowly; its stream was ended.",
  },
  "call.finished": { severity: "info", meaning: "One call was answered." },
  "call.defect": { severity: "error", meaning: "A call failed by a defect of the gateway." },
} as const satisfies Record<string, EventRow>;

export type EventName = keyof typeof EVENTS;

/** One entry of the event log. */
export interface GatewayEvent {
  /** Strictly increasing. */
  readonly cursor: number;
  /** ISO 8601, milliseconds. */
  readonly at: string;
  readonly event: EventName;
  readonly fields: Readonly<Record<string, unknown>>;
}
