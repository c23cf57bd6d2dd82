/** The stdio wire with real processes: T41, T43, T44 of the test plan. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { StderrRing } from "../../../src/core/backends/stderr_ring.ts";
import { openStdioWire } from "../../../src/core/backends/stdio_wire.ts";
import { Supervisor } from "../../../src/core/backends/supervisor.ts";
import type { Wire } from "../../../src/core/backends/wire.ts";
import { SystemClock } from "../../../src/hosts/clock.ts";
import { createSpawner, type ProcessSpawner } from "../../../src/hosts/process/spawn.ts";
import { systemRandom } from "../../../src/hosts/random.ts";
import type { SpawnOptions } from "../../../src/ports/process.ts";
import { fixture, isRunning, KeptLog, until } from "../../hosts/process/children.ts";
import { proves } from "../../support/proves.ts";
import { KeptEvents } from "./wire_events.ts";

const MEBIBYTE = 1_048_576;

describe("stdio wire to a real child", () => {
  const clock = new SystemClock();
  let spawner: ProcessSpawner;
  const wires: Wire[] = [];

  before(async () => {
    spawner = await createSpawner({ log: new KeptLog() });
  });

  after(async () => {
    await Promise.all(wires.map((wire) => wire.close()));
    spawner.close();
  });

  /** A wire to a started child; it is closed at the end of the file at the latest. */
  function open(spawn: SpawnOptions, graceMs = 200) {
    const events = new KeptEvents();
    const stderr = new StderrRing((text) => text);
    let pid = 0;
    const wire = openStdioWire({
      spawner,
      spawn,
      clock,
      stderr,
      maxLineBytes: 4 * MEBIBYTE,
      graceMs,
      onStart: (started) => pid = started,
    })(events);
    wires.push(wire);
    return { wire, events, stderr, pid };
  }

  test("concurrent requests are answered over one stdin and stdout", async () => {
    const { wire, events } = open(fixture("answers"));
    for (let id = 1; id <= 100; id++) {
      wire.send(
        `{"jsonrpc":"2.0","id":${id},"method":"echo","params":{"n":${id},"text":"…\\n"}}`,
        id,
      );
    }
    await until("all are answered", () => events.messages.length === 100);
    const answers = events.messages.map((message) => message.kind === "response" && message.result);
    assert.deepEqual(
      answers,
      Array.from({ length: 100 }, (_, n) => `{"n":${n + 1},"text":"…\\n"}`),
    );
    await wire.close();
  });

  test("a child killed with calls in flight is one loss, with the signal", async () => {
    const { wire, events, pid } = open(fixture("hangs"));
    for (let id = 1; id <= 100; id++) wire.send(`{"jsonrpc":"2.0","id":${id},"method":"slow"}`, id);
    process.kill(pid, "SIGKILL");
    const error = await events.loss();
    assert.equal(error.code, "BACKEND_LOST");
    assert.equal(error.details.executed, "unknown");
    assert.equal(error.details.reason, "signal SIGKILL");
    await wire.close();
    assert.equal(events.losses.length, 1);
  });

  test("a child that exits at once is a loss with exit code and stderr", async () => {
    const { events } = open(fixture("exits", "3"));
    const { details } = await events.loss();
    assert.equal(
      details.reason,
      "exit code 3; stderr: Error: API_KEY is required |     at \\u001b[31mmain\\u001b[0m",
    );
  });

  test("a command that does not exist is a loss that names it", async () => {
    const { events } = open({ ...fixture("hangs"), command: "no-such-program" });
    const { message, details } = await events.loss();
    assert.match(message, /^Cannot start backend "fixture": command not found: "no-such-program"/);
    assert.equal(details.executed, "no");
  });

  test("an answer as the last act before the exit arrives whole", async () => {
    const { wire, events } = open(fixture("last_words"));
    wire.send('{"jsonrpc":"2.0","id":1,"method":"x"}', 1);
    const response = await events.first("response");
    assert.equal(response.result?.length, 300_000 + '{"text":""}'.length);
    assert.equal((await events.loss()).details.reason, "exit code 0");
  });

  test("lines that are no messages do no harm up to fifty, and lose the wire beyond", async () => {
    const few = open(fixture("babbles", "50"));
    await few.events.first("response");
    assert.equal(few.events.samples.length, 50);
    assert.equal(few.events.samples[0], "Starting \\u0007server 0…");
    const many = open(fixture("babbles", "51"));
    assert.equal((await many.events.loss()).code, "BACKEND_PROTOCOL");
    await Promise.all([few.wire.close(), many.wire.close()]);
    assert.equal(isRunning(many.pid), false);
  });

  test("odd framing: two messages in a write, CRLF, split characters", async () => {
    const { events } = open(fixture("odd_framing"));
    await until("three answers came", () => events.messages.length === 3);
    const texts = events.messages.map((message) => message.kind === "response" && message.result);
    assert.deepEqual(texts, ['{"text":"one"}', '{"text":"two"}', '{"text":"…"}']);
    assert.deepEqual(events.samples, []);
  });

  for (const place of ["first", "last"]) {
    test(`a 5 MB answer with its id ${place} fails its request, and the next one is answered`, async () => {
      const { wire, events } = open(fixture("long_answer", place, String(5 * MEBIBYTE)));
      wire.send('{"jsonrpc":"2.0","id":1,"method":"x"}', 1);
      const answer = await events.first("response");
      assert.equal(answer.id, "2");
      assert.deepEqual(events.failures.map(({ request }) => request), [1]);
      assert.equal(events.failures[0]?.error.code, "BACKEND_PROTOCOL");
    });
  }

  test("a 100 MB line without line end is dropped in bounded memory", async () => {
    const before = process.memoryUsage();
    let most = 0;
    const { events } = open(fixture("endless_line", String(100 * MEBIBYTE)));
    const watch = setInterval(() => most = Math.max(most, process.memoryUsage().rss), 5);
    await events.first("response").finally(() => clearInterval(watch));
    assert.equal(events.samples.length, 1);
    // Chunks that wait for the garbage collector count too; holding the line would be 100 MB at least.
    assert.ok(
      most - before.rss < 64 * MEBIBYTE,
      `grew by ${Math.round((most - before.rss) / MEBIBYTE)} MB`,
    );
  });

  test("a child that closes only its stdout is lost and ended", async () => {
    const { events, wire, pid } = open(fixture("closes_output"));
    assert.match((await events.loss()).message, /closed its output/);
    await wire.close();
    assert.equal(isRunning(pid), false);
  });

  test("a child that stops reading stdin loses the wire within a bounded queue", async () => {
    const { wire, events } = open(fixture("deaf"));
    await events.first("notification");
    const text = "x".repeat(MEBIBYTE);
    let sent = 0;
    while (events.losses.length === 0 && sent < 100) {
      wire.send(text, ++sent);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.ok(sent < 20, `${sent} MB were taken`);
    assert.match(events.losses[0]?.message ?? "", /does not read/);
    assert.ok(events.failures.every(({ error }) => error.details.executed === "no"));
  });

  test("much stderr holds nothing up, and the last of it is kept", async () => {
    const { events, stderr } = open(fixture("floods_stderr", String(50 * MEBIBYTE)));
    await events.first("response");
    await until("stderr was read", () => stderr.lines > 0);
    assert.equal(stderr.tail(1000).length, 200);
    // The rest of the last line may still be on its way.
    assert.match(stderr.tail(1)[0] ?? "", /^(noise )*n?o?i?s?e?$/);
  });

  proves(
    "G8.5",
    "close() ends the whole group, grandchildren that ignore SIGTERM included",
    async () => {
      const { wire, events, pid } = open(fixture("family"));
      const { params } = await events.first("notification");
      const grandchild = params?.["pid"] as number;
      assert.ok(isRunning(pid) && isRunning(grandchild));
      await wire.close();
      await until("both are gone", () => !isRunning(pid) && !isRunning(grandchild));
      assert.equal(events.losses.length, 1);
    },
  );

  test("close() right after the start ends the child", async () => {
    const { wire, pid } = open(fixture("hangs"), 0);
    await wire.close();
    assert.equal(isRunning(pid), false);
  });

  proves(
    "G8.4",
    "a crashed child is detected and replaced, a crash loop ends in fatal",
    async () => {
      const pids: number[] = [];
      const connect = (spawn: SpawnOptions) => async () => {
        const events = new KeptEvents();
        const wire = openStdioWire({
          spawner,
          spawn,
          clock,
          stderr: new StderrRing((text) => text),
          maxLineBytes: MEBIBYTE,
          graceMs: 200,
          onStart: (pid) => pids.push(pid),
        })(events);
        wires.push(wire);
        wire.send('{"jsonrpc":"2.0","id":1,"method":"initialize"}', 1);
        await until("it answers or ends", () => events.messages.length + events.losses.length > 0);
        const [error] = events.losses;
        if (error !== undefined) throw error;
        events.closed = (lost) => supervisor.lost(lost);
        return wire;
      };
      const options = {
        clock,
        random: systemRandom,
        restart: { base: 20, max: 100, reset_after: 60_000 },
        mayGiveUp: true,
        onChange: () => {},
      };
      const supervisor = new Supervisor({ ...options, connect: connect(fixture("answers")) });
      supervisor.start();
      await until("it is ready", () => supervisor.status.state === "ready");
      for (const restarts of [1, 2]) {
        process.kill(pids.at(-1) as number, "SIGKILL");
        await until("it is replaced", () => supervisor.status.restarts === restarts);
        await until("it is ready again", () => supervisor.status.state === "ready");
        assert.equal(supervisor.status.lastError?.details.reason, "signal SIGKILL");
      }
      assert.equal(new Set(pids).size, 3);
      assert.deepEqual(pids.map(isRunning), [false, false, true]);
      await supervisor.stop();
      assert.equal(isRunning(pids[2] as number), false);

      const crashing = new Supervisor({ ...options, connect: connect(fixture("exits", "1")) });
      const before = pids.length;
      crashing.start();
      await until("it is given up", () => crashing.status.state === "fatal");
      assert.equal(pids.length - before, 6);
      assert.match(crashing.status.lastError?.details.reason ?? "", /API_KEY is required/);
      await crashing.stop();
    },
  );

  test("200 children that fail leave no process and no descriptor behind", async () => {
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const crash = { ...fixture("hangs"), command: "/bin/sh", args: ["-c", "exit 1"] };
    const cycle = async () => {
      const { events, wire, pid } = open(crash);
      await events.loss();
      await wire.close();
      return pid;
    };
    const cycles = () => Promise.all(Array.from({ length: 20 }, cycle));
    await cycles();
    const before = descriptors();
    const pids: number[] = [];
    for (let round = 0; round < 10; round++) pids.push(...await cycles());
    await until("the pipes are closed", () => descriptors() <= before + 3);
    assert.deepEqual(pids.filter(isRunning), []);
  });
});
