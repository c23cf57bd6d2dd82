/**
 * Questions between replicas whose answers take a while: parts, then an end. Messages may be lost, so both sides
 * number and look after each other: an exchange ends in time whatever happens to bus or replica.
 */
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Mailbox } from "./mailbox.ts";
import type { ExchangeMessage } from "./messages.ts";

/** Within it the other replica says that the question has arrived. */
const ARRIVAL_MS = 1000;
/** Between two looks at whether the other replica still works on it. */
const LOOK_MS = 1000;
/** Open at a time, asked or served. */
const MAX_OPEN = 10_000;
/** Unanswered looks after which the sign of life of the other replica decides. */
const PATIENT_LOOKS = 2;
/** A served one whose asker says nothing for so long is over. */
const SILENT_LOOKS = 10;

/** Why an exchange ended without its end: nothing has arrived, or nobody knows what became of it. */
export type Loss = "not arrived" | "lost";

export interface Asker {
  readonly part: (body: JsonObject) => void;
  readonly end: (body: JsonObject) => void;
  /** Instead of an end. */
  readonly lost: (loss: Loss) => void;
}

/** The side of an exchange that answers. */
export interface Outlet {
  /** Instance that asked. */
  readonly from: string;
  part(body: JsonObject): void;
  /** Nothing follows it. */
  end(body: JsonObject): void;
}

/** Begins to answer; gives what to do when the asker does not want any more of it. Must not throw. */
export type Serve = (want: JsonObject, outlet: Outlet) => ((reason: string) => void) | undefined;

interface Asked {
  readonly to: string;
  readonly asker: Asker;
  readonly cancelArrival: Cancel;
  /** Number of the next part. */
  next: number;
  /** Looks since the other side was heard of. */
  silent: number;
}

interface Served {
  readonly to: string;
  readonly leave: (reason: string) => void;
  silent: number;
}

export interface ExchangeOptions {
  readonly mailbox: Mailbox;
  readonly clock: Clock;
  /** Name of this replica. */
  readonly instance: string;
  readonly serve: Serve;
}

export class Exchanges {
  readonly #options: ExchangeOptions;
  readonly #asked = new Map<string, Asked>();
  readonly #served = new Map<string, Served>();
  readonly #endLooks: Cancel;
  #last = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#endLooks = options.clock.every(LOOK_MS, () => this.#look());
  }

  /** Asks another replica; one of `end` and `lost` follows, unless it is left before. */
  ask(to: string, want: JsonObject, asker: Asker): (reason: string) => void {
    const { clock, instance, mailbox } = this.#options;
    const exchange = `${instance}-${++this.#last}`;
    if (this.#asked.size >= MAX_OPEN) {
      asker.lost("not arrived");
      return () => {};
    }
    const cancelArrival = clock.after(ARRIVAL_MS, () => this.#lose(exchange, "lost"));
    this.#asked.set(exchange, { to, asker, cancelArrival, next: 0, silent: 0 });
    void mailbox.send(to, { kind: "ask", exchange, want }).then((arrived) => {
      if (!arrived) this.#lose(exchange, mailbox.failure === undefined ? "not arrived" : "lost");
    });
    return (reason) => {
      if (this.#over(exchange) === undefined) return;
      void mailbox.send(to, { kind: "leave", exchange, reason });
    };
  }

  take(from: string, message: ExchangeMessage): void {
    const { exchange } = message;
    switch (message.kind) {
      case "ask":
        return this.#serve(from, exchange, message.want);
      case "leave":
        return this.#left(from, exchange, message.reason);
      case "still":
        return this.#answerStill(from, exchange);
      case "part":
      case "end":
        return this.#heard(from, message);
    }
  }

  /** Ends all of them. */
  close(): void {
    this.#endLooks();
    for (const exchange of [...this.#asked.keys()]) this.#lose(exchange, "lost");
    for (const [exchange, { leave }] of [...this.#served]) {
      this.#served.delete(exchange);
      leave("the gateway is stopping");
    }
  }

  #serve(from: string, exchange: string, want: JsonObject): void {
    const { mailbox, serve } = this.#options;
    if (this.#served.has(exchange) || this.#served.size >= MAX_OPEN) return;
    let number = 0;
    let isOver = false;
    const say = (kind: "part" | "end", body: JsonObject) => {
      if (isOver) return;
      isOver = kind === "end";
      if (isOver) this.#served.delete(exchange);
      void mailbox.send(from, { kind, exchange, number: number++, body }).then((arrived) => {
        if (!arrived) this.#left(from, exchange, "its replica cannot be reached");
      });
    };
    say("part", {});
    // In place before it is served: what is served may end at once.
    const served = { to: from, silent: 0, leave: (_reason: string) => {} };
    this.#served.set(exchange, served);
    const leave = serve(want, {
      from,
      part: (body) => say("part", body),
      end: (body) => say("end", body),
    });
    served.leave = (reason) => {
      isOver = true;
      leave?.(reason);
    };
  }

  /** One side gave it up. */
  #left(from: string, exchange: string, reason: string): void {
    if (this.#asked.get(exchange)?.to === from) return this.#lose(exchange, "lost");
    const served = this.#served.get(exchange);
    if (served?.to !== from) return;
    this.#served.delete(exchange);
    served.leave(reason);
  }

  #answerStill(from: string, exchange: string): void {
    const asked = this.#asked.get(exchange);
    if (asked?.to === from) {
      asked.silent = 0;
      return;
    }
    const served = this.#served.get(exchange);
    if (served?.to !== from) {
      void this.#options.mailbox.send(from, { kind: "leave", exchange, reason: "unknown" });
      return;
    }
    served.silent = 0;
    void this.#options.mailbox.send(from, { kind: "still", exchange });
  }

  #heard(from: string, message: ExchangeMessage & { readonly kind: "part" | "end" }): void {
    const { exchange, number, body } = message;
    const asked = this.#asked.get(exchange);
    if (asked?.to !== from) return;
    asked.silent = 0;
    if (number !== asked.next++) return this.#lose(exchange, "lost");
    if (number === 0) asked.cancelArrival();
    if (message.kind === "part") {
      if (number > 0) asked.asker.part(body);
      return;
    }
    this.#over(exchange);
    asked.asker.end(body);
  }

  /** The answer may not have been lost in vain: the other side is told to stop. */
  #lose(exchange: string, loss: Loss): void {
    const asked = this.#over(exchange);
    if (asked === undefined) return;
    const leave = { kind: "leave", exchange, reason: "its messages were lost" } as const;
    void this.#options.mailbox.send(asked.to, leave);
    asked.asker.lost(loss);
  }

  #over(exchange: string): Asked | undefined {
    const asked = this.#asked.get(exchange);
    this.#asked.delete(exchange);
    asked?.cancelArrival();
    return asked;
  }

  #look(): void {
    const { mailbox } = this.#options;
    for (const [exchange, asked] of [...this.#asked]) {
      if (mailbox.failure !== undefined) this.#lose(exchange, "lost");
      else void this.#lookAfter(exchange, asked);
    }
    for (const [exchange, served] of [...this.#served]) {
      if (++served.silent > SILENT_LOOKS) this.#left(served.to, exchange, "its replica is silent");
    }
  }

  async #lookAfter(exchange: string, asked: Asked): Promise<void> {
    const { mailbox } = this.#options;
    const arrived = await mailbox.send(asked.to, { kind: "still", exchange });
    const isSilent = !arrived || ++asked.silent > PATIENT_LOOKS;
    if (isSilent && await mailbox.isAlive(asked.to) !== true) this.#lose(exchange, "lost");
  }
}
