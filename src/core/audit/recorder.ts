import type { Config } from "../../contract/mod.ts";
import type { Call, Outcome } from "../call/call.ts";
import type { CallEnd } from "./call_row.ts";

/** What the line of a call needs of the audit. */
export interface Recorder {
  /** Puts the section `[audit]` in force. */
  configure(config: Config["audit"]): void;
  /**
   * Writes down that a call is about to reach its backend.
   * @throws SentinelError AUDIT_UNAVAILABLE (or rejects with it)
   */
  intent(call: Call): undefined | Promise<undefined>;
  /** Writes down how a call ended, before its answer leaves; gives the outcome to tell. */
  settled(call: Call, end: CallEnd): Outcome | Promise<Outcome>;
}

/** `audit.store = "off"`. */
export const NO_RECORDER: Recorder = {
  configure: () => {},
  intent: () => undefined,
  settled: (_call, { outcome }) => outcome,
};
