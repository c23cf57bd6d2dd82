import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { FIRST_FLEET, STAYING, tablesOf } from "../proofs/fleet_file.ts";
import { ManagedGateway, type Tables } from "../proofs/managed_gateway.ts";
import { NumberedBackend } from "../proofs/numbered_backend.ts";
import { type CallEnd, SteadyLoad } from "../proofs/steady_load.ts";
import { executable, REPOSITORY } from "../support/runtime.ts";
import { until } from "./until.ts";

const WAIT_MS = 60_000;

describe("a file that spoils a backend", { timeout: 180_000 }, () => {
  let backend: NumberedBackend;
  let gateway: ManagedGateway;
  before(async () => {
    backend = await NumberedBackend.start();
    gateway = await ManagedGateway.start(good());
  });
  after(async () => {
    await gateway.remove();
    await backend[Symbol.asyncDispose]();
  });

  function good(): Tables {
    const { reload, ...tables } = tablesOf(FIRST_FLEET, backend);
    return { ...tables, reload: { ...reload as object, grace: "1s" } };
  }

  function spoiled(): Tables {
    const { backends = {}, ...tables } = good();
    const args = [join(REPOSITORY, "no-such-program.mjs")];
    return {
      ...tables,
      backends: { ...backends as object, child: { command: executable("node"), args } },
    };
  }

  async function status() {
    return (await gateway.ask("/status")).body;
  }

  async function pid(): Promise<unknown> {
    return (await gateway.ask("/backends/child")).body.pid;
  }

  function operations(kind: string) {
    return gateway.journal().flatMap((entry) =>
      entry.kind === "operation.outcome" && entry.operation.operation === kind
        ? [`${entry.operation.actor.name}, ${entry.operation.outcome}`]
        : []
    );
  }

  async function assertReady(): Promise<void> {
    assert.equal((await status()).state, "ready");
  }

  async function assertTakenBack(times: number): Promise<void> {
    const { state, reasons } = await status();
    assert.equal(operations("roll_back").length, times);
    assert.equal(state, "degraded");
    assert.match(reasons.join("\n"), /^configuration: .*was taken back: backend "child" is/);
  }

  it("is taken back with the same process, and no call to the others fails", async () => {
    await until(assertReady, WAIT_MS);
    const [process, { config }] = [await pid(), await status()];
    const ends: CallEnd[] = [];
    const load = await SteadyLoad.start({
      url: gateway.url,
      tools: STAYING,
      rate: 100,
      ended: (call) => void ends.push(call),
    });
    try {
      await gateway.replaceFile(gateway.textOf(spoiled()));
      await until(() => assertTakenBack(1), WAIT_MS);
      await load.goesOn();
    } finally {
      await load.stop();
    }
    assert.equal(await pid(), process);
    assert.equal((await status()).config.hash, config.hash);
    assert.deepEqual(operations("reload"), ["file watch, partial"]);
    assert.deepEqual(operations("roll_back"), ["grace check, applied"]);
    const failed = ends.filter(({ error }) => error !== undefined);
    assert.deepEqual(failed.filter(({ tool }) => tool !== "child__echo"), []);
    assert.ok(failed.length > 0 && failed.length < ends.length);
  });

  it("is tried again when somebody asks, and a right file ends the trouble", async () => {
    gateway.hangUp();
    await until(() => assertTakenBack(2), WAIT_MS);
    assert.deepEqual(operations("reload").slice(1), ["signal, partial"]);
    await gateway.replaceFile(gateway.textOf(good()));
    await until(assertReady, WAIT_MS);
  });
});
