/** What goes wrong during a soak, one after the other, and what clients and operators do meanwhile. */
import { rm, writeFile } from "node:fs/promises";
import { Connection } from "../../bench/connection.ts";
import { type Fault, PASS } from "../support/faults/fault_proxy.ts";
import { IdleSession } from "../support/faults/idle_session.ts";
import type { Act } from "../support/faults/script.ts";
import { BACKENDS, CHILD_NAMES, type SoakStage } from "./soak_stage.ts";

/** How long a fault of a network or a hanging child lasts. */
const FAULT_MS = 1000;
const STORM = 40;

const FAULTS: readonly Fault[] = [
  { kind: "delay", ms: 200 },
  { kind: "reset" },
  { kind: "blackhole" },
  { kind: "refuse" },
  { kind: "hang", bytes: 150 },
  { kind: "cut", bytes: 150 },
  { kind: "throttle", bytes: 20_000 },
];

/** What some of the calls ask of their backend; all others are answered at once. */
const ACTS: readonly Partial<Act>[] = [
  { do: "answer", ms: 100 },
  { do: "stream", ms: 30 },
  { do: "fail" },
  { do: "refuse" },
  { do: "twice" },
  { do: "ask" },
  { do: "noise" },
  { do: "hang" },
];
const PLAIN_CALLS = 12;

/** Every so many calls its client goes away before it has the answer. */
const LEAVES = 97;

export class SoakFaults {
  readonly #stage: SoakStage;
  readonly #counts: Record<string, number> = {};
  /** Children whose next call kills them. */
  readonly #doomed = new Set<string>();
  #turn = 0;
  #generation = 0;

  constructor(stage: SoakStage) {
    this.#stage = stage;
  }

  /** What was done so far, by name. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** What a call asks of its backend. */
  act(number: number, tool: string): Partial<Act> | undefined {
    const backend = tool.split("__")[0] ?? "";
    if (this.#doomed.delete(backend)) return { do: "die" };
    if (number % PLAIN_CALLS !== 0) return undefined;
    return ACTS[Math.floor(number / PLAIN_CALLS) % ACTS.length];
  }

  /** After how many milliseconds the client of a call goes away. */
  leaves(number: number): number | undefined {
    return number % LEAVES === 0 ? number % 60 : undefined;
  }

  /** Does the next thing, and undoes it. */
  async next(): Promise<void> {
    const all = Object.entries(this.#acts);
    const [name, act] = all[this.#turn++ % all.length] as (typeof all)[number];
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
    await act();
  }

  /** Makes everything well again. */
  async heal(): Promise<void> {
    for (const proxy of this.#stage.proxies) {
      if (proxy.fault.kind !== "pass") proxy.set(PASS);
    }
    await rm(this.#stage.script, { force: true });
    await this.reconnect();
  }

  /** What has failed too often waits for an operator. */
  async reconnect(): Promise<void> {
    const { gateway } = this.#stage;
    const { body } = await gateway.ask("/backends");
    for (const { name, state } of body.items) {
      if (state === "fatal") {
        await gateway.ask(`/backends/${name}/reconnect`, { method: "POST", body: {} });
      }
    }
  }

  readonly #acts: Readonly<Record<string, () => Promise<void> | void>> = {
    "network fault": () => this.#network(),
    "child killed": () => void this.#doomed.add(this.#oneOf(CHILD_NAMES)),
    "reload": () => this.#reload(),
    "reconnect storm": () => this.#storm(),
    "network fault again": () => this.#network(),
    "children hang": () => this.#hang(),
    "kill switch": () => this.#killSwitch(),
    "upstream sessions forgotten": () => {
      for (const backend of this.#stage.backends) backend.forget();
    },
    "connections reset": () => {
      for (const proxy of this.#stage.proxies) proxy.killAll();
    },
    "reload refused": () => this.#refused(),
    "operator": () => this.reconnect(),
  };

  async #network(): Promise<void> {
    const proxy = this.#oneOf(this.#stage.proxies);
    proxy.set(FAULTS[this.#turn % FAULTS.length] ?? PASS);
    await pause(FAULT_MS);
    proxy.set(PASS);
    proxy.killAll();
  }

  async #hang(): Promise<void> {
    await writeFile(this.#stage.script, JSON.stringify({ do: "hang" }));
    await pause(FAULT_MS);
    await rm(this.#stage.script, { force: true });
  }

  async #reload(): Promise<void> {
    const { gateway } = this.#stage;
    await gateway.replaceFile(this.#stage.textOf(++this.#generation));
    gateway.hangUp();
    await pause(FAULT_MS / 4);
  }

  async #refused(): Promise<void> {
    const { gateway } = this.#stage;
    await gateway.replaceFile(`${this.#stage.textOf(this.#generation)}\n[broken\n`);
    gateway.hangUp();
    await pause(FAULT_MS / 4);
    await gateway.replaceFile(this.#stage.textOf(this.#generation));
  }

  async #killSwitch(): Promise<void> {
    const target = `/kill-switches/tools/${this.#oneOf(BACKENDS)}__read`;
    await this.#stage.gateway.ask(target, { method: "PUT", body: { reason: "soak" } });
    await pause(FAULT_MS / 4);
    await this.#stage.gateway.ask(target, { method: "DELETE" });
  }

  /** Many clients at once, with streams: a third say goodbye, the others go without a word. */
  async #storm(): Promise<void> {
    await Promise.all(Array.from({ length: STORM }, async (_, number) => {
      try {
        const { url } = this.#stage.gateway;
        const connection = await Connection.open(url);
        const session = await IdleSession.open(url, connection, { withStream: number % 2 === 0 });
        await pause(number * 5);
        await session.close(number % 3 === 0 ? connection : undefined);
        connection.close();
      } catch {
        // A gateway that is short of time may refuse; the ledgers judge the calls.
      }
    }));
  }

  #oneOf<T>(all: readonly T[]): T {
    return all[Math.floor(Math.random() * all.length)] as T;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
