/** One connection of a stream of server-sent events. */
import { createParser } from "eventsource-parser";
import type { ManagementError } from "./errors.ts";
import { type Call, mismatch, reached, timedOut } from "./call.ts";
import { exchange } from "./exchange.ts";
import type { Watch } from "./watch.ts";

/** Longest event, in characters. */
const MAX_EVENT = 1_048_576;
/** The gateway sends something every 15 s. */
const MAX_SILENCE_MS = 45_000;

/** An event as it stands on the wire. */
export interface Message {
  readonly name: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** What one read brought. */
export interface Batch {
  /** True for the first one, before anything was read: the gateway has accepted. */
  readonly isOpening: boolean;
  readonly messages: readonly Message[];
  /** Id of the latest event or bare `id:` field, also of earlier batches. */
  readonly lastId: string | undefined;
}

/**
 * Opens the stream and reads it as it is asked for: nothing is read ahead of what was taken, so the
 * gateway feels a slow reader. A batch without messages is a sign of life. Ends when the stream does.
 * @throws ManagementError
 */
export async function* readMessages(
  call: Call,
  watch: Watch,
  timeoutMs: number,
): AsyncGenerator<Batch, void> {
  watch.within(timeoutMs, () => timedOut(call, timeoutMs));
  const response = await exchange(call, watch);
  watch.calm();
  const type = response.headers.get("content-type") ?? "";
  if (response.body === null || !/^text\/event-stream\b/i.test(type)) {
    throw mismatch(call, "answered something that is no event stream");
  }
  yield { isOpening: true, messages: [], lastId: undefined };
  const reader = response.body.getReader();
  const parser = new Parser(call);
  for (;;) {
    watch.within(MAX_SILENCE_MS, () => timedOut(call, MAX_SILENCE_MS));
    const { done, value } = await reached(call, reader.read(), watch.signal);
    watch.calm();
    if (done) return;
    yield parser.batch(value);
  }
}

class Parser {
  readonly #call: Call;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #messages: Message[] = [];
  #lastId: string | undefined;
  #failure: ManagementError | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  batch(bytes: Uint8Array): Batch {
    this.#messages = [];
    this.#parser.feed(this.#decode(bytes));
    if (this.#failure !== undefined) throw this.#failure;
    return { isOpening: false, messages: this.#messages, lastId: this.#lastId };
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: true });
    } catch {
      throw mismatch(this.#call, "sent something that is not UTF-8");
    }
  }

  readonly #parser = createParser({
    maxBufferSize: MAX_EVENT,
    onEvent: ({ event, id, data }) =>
      void this.#messages.push({ name: event ?? "message", id, data }),
    onId: (id) => void (this.#lastId = id),
    onError: ({ type }) => {
      // The standard wants everything else ignored.
      if (type !== "max-buffer-size-exceeded") return;
      this.#failure = mismatch(this.#call, `sent an event longer than ${MAX_EVENT} characters`);
    },
  });
}
