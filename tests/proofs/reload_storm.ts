/** Reloads of every kind, while calls go on: what they did to the calls, and to each other. */
import assert from "node:assert/strict";
import { until } from "../scenarios/until.ts";
import { EventTail } from "./event_tail.ts";
import { FIRST_FLEET, type Fleet, namesIn, STAYING, tablesOf } from "./fleet_file.ts";
import { type Answered, ManagedGateway } from "./managed_gateway.ts";
import { NumberedBackend } from "./numbered_backend.ts";
import { assertApplied, countReloads } from "./reload_checks.ts";
import * as steps from "./reload_steps.ts";
import { type CallEnd, SteadyLoad } from "./steady_load.ts";
import type { Runtime } from "../support/runtime.ts";

const TRIGGERS = ["API", "signal", "file watch"] as const;
type Trigger = (typeof TRIGGERS)[number];

const WAIT_MS = 60_000;

export interface StormOptions {
  readonly reloads: number;
  /** Calls per second. */
  readonly rate: number;
  readonly runtime?: Runtime;
}

export interface StormReport {
  /** Calls that were answered right, and all others. */
  readonly calls: number;
  readonly failed: readonly CallEnd[];
  /** Calls per second. */
  readonly achieved: number;
  /** Operations of the journal by who asked and how they ended. */
  readonly reloads: Readonly<Record<string, number>>;
}

/** @throws AssertionError when a reload does not do what it has to */
export async function storm(options: StormOptions): Promise<StormReport> {
  await using backend = await NumberedBackend.start();
  const gateway = await ManagedGateway.start(tablesOf(FIRST_FLEET, backend), options.runtime);
  try {
    return await new Storm(gateway, backend, options).run();
  } finally {
    await gateway.remove();
  }
}

class Storm {
  readonly #gateway: ManagedGateway;
  readonly #backend: NumberedBackend;
  readonly #options: StormOptions;
  readonly #failed: CallEnd[] = [];
  #calls = 0;
  #fleet: Fleet = FIRST_FLEET;
  #tail: EventTail | undefined;

  constructor(gateway: ManagedGateway, backend: NumberedBackend, options: StormOptions) {
    this.#gateway = gateway;
    this.#backend = backend;
    this.#options = options;
  }

  async run(): Promise<StormReport> {
    await until(() => this.#assertInForce(), WAIT_MS);
    await until(() => this.#assertReady(), WAIT_MS);
    this.#tail = await EventTail.open(this.#gateway);
    const load = await SteadyLoad.start({
      url: this.#gateway.url,
      tools: STAYING,
      rate: this.#options.rate,
      ended: (call) => this.#ended(call),
    });
    try {
      for (let step = 0; step < this.#options.reloads; step++) {
        await this.#step(step);
        await load.goesOn();
      }
    } finally {
      await load.stop();
      this.#tail.close();
    }
    assert.equal(this.#backend.generation("headed"), String(this.#fleet.header), "newest header");
    return {
      calls: this.#calls,
      failed: this.#failed,
      achieved: load.achieved,
      reloads: countReloads(this.#gateway.journal()),
    };
  }

  #ended(call: CallEnd): void {
    this.#calls++;
    if (call.error !== undefined) this.#failed.push(call);
  }

  async #step(step: number): Promise<void> {
    const kind = steps.STEP_KINDS[step % steps.STEP_KINDS.length] as steps.StepKind;
    const trigger = TRIGGERS[step % TRIGGERS.length] as Trigger;
    const next = steps.after(kind, this.#fleet, step);
    const text = this.#gateway.textOf(tablesOf(next, this.#backend));
    try {
      await this.#change(kind, trigger, { text, step });
      this.#fleet = next;
      await until(() => this.#assertInForce(), WAIT_MS);
    } catch (cause) {
      throw new Error(`Step ${step} (${kind}, ${trigger}): ${String(cause)}`, { cause });
    }
  }

  async #change(
    kind: steps.StepKind,
    trigger: Trigger,
    { text, step }: { readonly text: string; readonly step: number },
  ): Promise<void> {
    const gateway = this.#gateway;
    switch (kind) {
      case "broken":
        await this.#refused(trigger, () => gateway.replaceFile(steps.broken(text, step)));
        // What was refused is not taken from the file later either.
        await this.#applied("API", () => gateway.replaceFile(text));
        return;
      case "truncated": {
        let rest = "";
        await this.#refused(trigger, async () => void (rest = await steps.writeCut(gateway, text)));
        await this.#applied(trigger, () => steps.writeRest(gateway, rest));
        return;
      }
      case "symlink":
        await this.#applied(trigger, () => steps.swapLinks(gateway, text, step));
        return;
      case "two at once":
        await this.#atOnce(text, steps.variantOf(text));
        return;
      case "add":
      case "adjust":
      case "command":
      case "header":
      case "remove":
      case "rename":
        await this.#applied(trigger, () => gateway.replaceFile(text));
    }
  }

  /** A reload of a right file; resolves when it is over. */
  async #applied(trigger: Trigger, write: () => Promise<void>): Promise<void> {
    const mark = this.#mark();
    await write();
    if (trigger === "API") return assertApplied(await this.#reload());
    if (trigger === "signal") this.#gateway.hangUp();
    const { fields } = await this.#reloadBy(trigger, mark);
    const { outcome } = fields;
    assert.ok(outcome === "applied" || outcome === "unchanged", JSON.stringify(fields));
  }

  /** A reload of a wrong file: refused with its place, and nothing has changed. */
  async #refused(trigger: Trigger, write: () => Promise<void>): Promise<void> {
    const mark = this.#mark();
    const before = await this.#inForce();
    await write();
    if (trigger === "signal") this.#gateway.hangUp();
    if (trigger !== "API") {
      const { fields } = await this.#reloadBy(trigger, mark);
      assert.equal(fields["outcome"], "rejected", JSON.stringify(fields));
    }
    const { status, body } = await this.#reload();
    assert.equal(status, 422, JSON.stringify(body));
    assert.equal(body.error.code, "CONFIG_INVALID");
    const [issue] = body.error.issues;
    assert.ok(issue.line >= 1 && issue.column >= 1, JSON.stringify(issue));
    assert.deepEqual(await this.#inForce(), before);
  }

  /** Two writers, the API and a signal, none of them waiting for another. */
  async #atOnce(text: string, variant: string): Promise<void> {
    const gateway = this.#gateway;
    const mark = this.#mark();
    await gateway.replaceFile(variant);
    const answers = [this.#reload(), this.#reload()];
    gateway.hangUp();
    await gateway.replaceFile(text);
    answers.push(this.#reload(), this.#reload());
    for (const answer of await Promise.all(answers)) assertApplied(answer);
    await this.#reloadBy("signal", mark);
  }

  #reload(): Promise<Answered> {
    return this.#gateway.ask("/reload", { method: "POST", body: {} });
  }

  #mark(): number {
    return this.#tail?.mark ?? 0;
  }

  #reloadBy(name: Trigger, mark: number) {
    if (this.#tail === undefined) throw new Error("no event is followed yet");
    return this.#tail.wait(mark, ({ event, fields }) => {
      const actor = fields["actor"] as { readonly name?: string } | undefined;
      return event === "operation.finished" && fields["operation"] === "reload" &&
        actor?.name === name;
    });
  }

  /** What a refused file must leave alone. */
  async #inForce() {
    const { body: status } = await this.#gateway.ask("/status");
    const { body: backends } = await this.#gateway.ask("/backends");
    return {
      hash: status.config.hash,
      backends: backends.items.map((item: Record<string, unknown>) => [item["name"], item["pid"]]),
    };
  }

  /** The file is in force: nothing differs, and the backends are those of the file. */
  async #assertInForce(): Promise<void> {
    const { body: diff } = await this.#gateway.ask("/config/diff", { method: "POST", body: {} });
    assert.deepEqual(diff.changes, []);
    const { body } = await this.#gateway.ask("/backends");
    const names = body.items.map(({ name }: { name: string }) => name);
    assert.deepEqual(names, namesIn(this.#fleet));
  }

  async #assertReady(): Promise<void> {
    const { body } = await this.#gateway.ask("/backends?filter=state:ready");
    assert.equal(body.items.length, namesIn(this.#fleet).length);
  }
}
