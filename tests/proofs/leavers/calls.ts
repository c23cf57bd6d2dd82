/** What the backends of the proof of leavers do with a call, over HTTP and stdio, and what they note of it. */
import type { Era, Heard } from "../../support/faults/script.ts";

/** Arguments of a call. */
export interface Asked {
  readonly nonce?: string;
  readonly who?: string;
  /** Answered only a little after it was cancelled; else after `ms`, cancelled or not. */
  readonly hold?: boolean;
  /** Milliseconds; default 0. */
  readonly ms?: number;
  /** Gives signs of progress until the answer. */
  readonly tells?: boolean;
  /** Characters of the answer beside what it says; default 0. */
  readonly size?: number;
}

export interface Note {
  readonly kind: "called" | "cancelled" | "answered";
  readonly nonce: string;
  /** By the backend's own name. */
  readonly tool: string;
}

/** A held call that is never cancelled is answered after all, so that what waits for it ends. */
export const HOLD_MS = 20_000;
/** An answer comes that much later than the cancellation. */
const LATE_MS = 20;
const TELL_MS = 20;

/** Calls under way at one backend. */
export class LeaverCalls {
  readonly #era: Era;
  readonly #note: (note: Note) => void;
  readonly #open = new Map<string, () => void>();
  /** What was cancelled before it came: two connections have no order. */
  readonly #early = new Set<string>();

  constructor(era: Era, note: (note: Note) => void) {
    this.#era = era;
    this.#note = note;
  }

  /** Answers a call, which `cancel` knows under `key`. Resolves when all is said. */
  async perform(key: string, heard: Heard, say: (message: object) => void): Promise<void> {
    const asked = (heard.params?.arguments ?? {}) as Asked;
    const facts = { nonce: asked.nonce ?? "", tool: heard.params?.name ?? "" };
    const { promise: cancelled, resolve } = Promise.withResolvers<void>();
    this.#note({ kind: "called", ...facts });
    this.#open.set(key, () => {
      this.#note({ kind: "cancelled", ...facts });
      resolve();
    });
    if (this.#early.delete(key)) this.cancel(key);
    const stopTelling = asked.tells === true ? tell(heard, say) : () => {};
    await (asked.hold === true ? held(cancelled) : pause(asked.ms ?? 0));
    stopTelling();
    this.#note({ kind: "answered", ...facts });
    this.#open.delete(key);
    say({ jsonrpc: "2.0", id: heard.id, result: this.#result(asked) });
  }

  cancel(key: string): void {
    const end = this.#open.get(key);
    if (end === undefined) this.#early.add(key);
    else end();
  }

  #result({ nonce, who, size = 0 }: Asked): object {
    const content = [{ type: "text", text: JSON.stringify({ nonce, who }) }];
    if (size > 0) content.push({ type: "text", text: "x".repeat(size) });
    return this.#era === "modern" ? { resultType: "complete", content } : { content };
  }
}

async function held(cancelled: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => timer = setTimeout(resolve, HOLD_MS));
  await Promise.race([cancelled, over]);
  clearTimeout(timer);
  await pause(LATE_MS);
}

/** The returned function ends it. */
function tell({ params }: Heard, say: (message: object) => void): () => void {
  const progressToken = params?._meta?.["progressToken"];
  let progress = 0;
  const next = () => {
    const told = { progressToken, progress: ++progress };
    say({ jsonrpc: "2.0", method: "notifications/progress", params: told });
  };
  next();
  const timer = setInterval(next, TELL_MS);
  return () => clearInterval(timer);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
