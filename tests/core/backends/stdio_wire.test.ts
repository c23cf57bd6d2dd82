import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StderrRing } from "../../../src/core/backends/stderr_ring.ts";
import { openStdioWire } from "../../../src/core/backends/stdio_wire.ts";
import type { ChildExit } from "../../../src/ports/process.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";
import { FakeChild, spawnerOf } from "./fake_child.ts";
import { KeptEvents } from "./wire_events.ts";

const GRACE_MS = 5000;

/** A wire to a child in memory, on a clock that stands still. */
function open(child = new FakeChild()) {
  const clock = new FakeClock();
  const events = new KeptEvents();
  const stderr = new StderrRing((text) => text.replaceAll("hunter2", "«secret»"));
  const pids: number[] = [];
  const exits: ChildExit[] = [];
  const wire = openStdioWire({
    spawner: spawnerOf(child),
    spawn: { name: "demo", command: "demo", args: [], env: {} },
    clock,
    stderr,
    maxLineBytes: 1000,
    graceMs: GRACE_MS,
    onStart: (pid) => pids.push(pid),
    onExit: (exit) => exits.push(exit),
  })(events);
  return { wire, child, clock, events, stderr, pids, exits };
}

const answer = (id: number) => `{"jsonrpc":"2.0","id":${id},"result":{}}\n`;

describe("stdio wire, a child that floods its stderr", () => {
  const MEBIBYTE = 1_048_576;
  const chunk = `${"noise\n".repeat(MEBIBYTE / 6)}`;
  const linesIn = (text: string) => text.split("\n").length - 1;

  test("is read no faster than 16 MiB a second", async () => {
    const { child, clock, stderr } = open();
    for (let count = 0; count < 40; count++) child.errors.push(chunk);
    await settle();
    const first = stderr.lines;
    assert.ok(first > 15 * linesIn(chunk) && first < 18 * linesIn(chunk), String(first));
    await clock.advance(999);
    assert.equal(stderr.lines, first);
    await clock.advance(1);
    await settle();
    assert.ok(stderr.lines > 30 * linesIn(chunk) && stderr.lines < 36 * linesIn(chunk));
    await clock.advance(1000);
    await settle();
    assert.equal(stderr.lines, 40 * linesIn(chunk));
  });

  test("is read to its end when it has ended, and its last words are in the error", async () => {
    const { child, events, stderr } = open();
    for (let count = 0; count < 20; count++) child.errors.push(chunk);
    await settle();
    child.errors.push("last words\n");
    child.exit({ code: 1 });
    await settle();
    assert.equal(stderr.lines, 20 * linesIn(chunk) + 1);
    assert.match((await events.loss()).details.reason ?? "", /^exit code 1; stderr: .*last words$/);
  });
});

describe("stdio wire, what became of a process", () => {
  test("is said to calls that never reached it too", async () => {
    const { wire, child, events } = open();
    child.full = new Promise(() => {});
    wire.send("first", 1);
    await settle();
    wire.send("second", 2);
    child.errors.push("no memory\n");
    child.exit({ signal: "SIGSEGV" });
    await settle();
    wire.send("third", 3);
    const reasons = events.failures.map(({ request, error }) => [request, error.details]);
    const details = {
      backend: "demo",
      executed: "no",
      reason: "signal SIGSEGV; stderr: no memory",
    };
    assert.deepEqual(reasons, [[2, details], [3, details]]);
  });

  test("names the limit that ended it", async () => {
    const { child, events } = open();
    const exceeded = { limit: "memory", used: 300 * 1_048_576, most: 256 * 1_048_576 } as const;
    child.exit({ signal: "SIGKILL", exceeded });
    assert.equal(
      (await events.loss()).details.reason,
      "ended by the memory limit: 300 MiB used of 256 MiB",
    );
  });

  test("says whether it was told to end", async () => {
    const told: boolean[] = [];
    for (const asked of [true, false]) {
      const child = new FakeChild();
      const wire = openStdioWire({
        spawner: spawnerOf(child),
        spawn: { name: "demo", command: "demo", args: [], env: {} },
        clock: new FakeClock(),
        stderr: new StderrRing((text) => text),
        maxLineBytes: 1000,
        graceMs: GRACE_MS,
        onExit: (_exit, wasAsked) => told.push(wasAsked),
      })(new KeptEvents());
      if (asked) void wire.close();
      child.exit({ code: 0 });
      await settle();
    }
    assert.deepEqual(told, [true, false]);
  });
});

describe("stdio wire, writing", () => {
  test("messages of one turn go out in one write, one on each line", async () => {
    const { wire, child } = open();
    wire.send('{"id":1}', 1);
    wire.send('{"id":2}', 2);
    await settle();
    wire.send('{"id":3}', 3);
    await settle();
    assert.deepEqual(child.heard, ['{"id":1}\n{"id":2}\n', '{"id":3}\n']);
  });

  test("messages wait while the pipe is full and go out together when it has room", async () => {
    const { wire, child, events } = open();
    const { promise, resolve } = Promise.withResolvers<void>();
    child.full = promise;
    wire.send("a");
    await settle();
    wire.send("b");
    await settle();
    wire.send("c");
    assert.deepEqual(child.heard, ["a\n"]);
    child.full = undefined;
    resolve();
    await settle();
    assert.deepEqual(child.heard, ["a\n", "b\nc\n"]);
    assert.equal(events.losses.length, 0);
  });

  test("a child that does not read any more loses the wire; what it never got was not executed", async () => {
    const { wire, child, events } = open();
    child.full = new Promise(() => {});
    wire.send("first", 1);
    await settle();
    const megabyte = "x".repeat(1_000_000);
    let request = 1;
    while (events.losses.length === 0 && request < 100) wire.send(megabyte, ++request);
    assert.equal(events.losses[0]?.code, "BACKEND_LOST");
    assert.equal(events.losses[0]?.details.executed, "unknown");
    assert.ok(request < 20, `${request} MB were queued`);
    const refused = events.failures.map((failure) => failure.request);
    assert.deepEqual(refused, Array.from({ length: request - 1 }, (_, index) => index + 2));
    assert.ok(events.failures.every(({ error }) => error.details.executed === "no"));
    assert.ok(child.heard.includes("end"));
  });

  test("send() on a closed wire fails its request as not executed", async () => {
    const { wire, child, events } = open();
    child.exit({ code: 0 });
    await settle();
    wire.send("late", 7);
    wire.send("a notification");
    assert.deepEqual(events.failures.map(({ request }) => request), [7]);
    assert.equal(events.failures[0]?.error.code, "BACKEND_LOST");
    assert.equal(events.failures[0]?.error.details.executed, "no");
  });
});

describe("stdio wire, reading", () => {
  test("messages come in order; empty lines are nothing", async () => {
    const { child, events } = open();
    child.output.push(`${answer(1)}\n \r\n{"jsonrpc":"2.0","method":"notifications/x"}\n`);
    child.output.push(
      '[{"jsonrpc":"2.0","id":2,"result":{}},{"jsonrpc":"2.0","id":3,"result":{}}]\n',
    );
    await settle();
    const kinds = events.messages.map((message) => message.kind);
    assert.deepEqual(kinds, ["response", "notification", "response", "response"]);
    assert.deepEqual(events.samples, []);
  });

  test("a line that is no message is reported, escaped and cut, and costs nothing else", async () => {
    const { child, events } = open();
    child.output.push(`\u001b[32mStarting server…\u001b[0m ${"x".repeat(300)}\n${answer(1)}`);
    child.output.push('{"jsonrpc":"2.0","id":1,"result":{}}{"jsonrpc":"2.0","id":2,"result":{}}\n');
    await settle();
    assert.equal(events.messages.length, 1);
    assert.equal(events.samples.length, 2);
    assert.match(events.samples[0] ?? "", /^\\u001b\[32mStarting server…\\u001b\[0m x+$/);
    assert.equal(events.losses.length, 0);
  });

  test("more than fifty such lines in a row lose the wire, fewer between messages do not", async () => {
    const { child, events } = open();
    for (let round = 0; round < 5; round++) {
      child.output.push(`${"noise\n".repeat(50)}${answer(1)}`);
    }
    await settle();
    assert.equal(events.losses.length, 0);
    child.output.push("noise\n".repeat(51));
    await settle();
    assert.equal(events.losses[0]?.code, "BACKEND_PROTOCOL");
    assert.deepEqual(child.heard, ["end"]);
    child.output.push(answer(2));
    await settle();
    assert.equal(events.messages.length, 5);
  });

  test("an over-long answer fails its request at once when it begins with the id", async () => {
    const { child, events } = open();
    child.output.push(`{"jsonrpc": "2.0", "id": 12, "result": {"text": "${"x".repeat(2000)}`);
    await settle();
    assert.deepEqual(events.failures.map(({ request }) => request), [12]);
    assert.equal(events.failures[0]?.error.code, "BACKEND_PROTOCOL");
    assert.equal(events.failures[0]?.error.details.executed, "unknown");
  });

  test("an over-long answer fails its request at its end when the id stands there", async () => {
    const { child, events } = open();
    child.output.push(
      `{"result":{"text":"${"x".repeat(2000)}"},"jsonrpc":"2.0","id":13}\n${answer(1)}`,
    );
    await settle();
    assert.deepEqual(events.failures.map(({ request }) => request), [13]);
    assert.equal(events.samples.length, 1);
    assert.equal(events.messages.length, 1);
  });

  test("an over-long request of the backend fails none of ours", async () => {
    const { child, events } = open();
    const text = "x".repeat(2000);
    child.output.push(
      `{"jsonrpc":"2.0","id":1,"method":"roots/list","params":{"text":"${text}"}}\n`,
    );
    child.output.push(
      `{"method":"roots/list","params":{"text":"${text}"},"jsonrpc":"2.0","id":1}\n`,
    );
    child.output.push(`{"method":"x","params":{"result":"${text}","n":{"a":1,"id":1}}}\n`);
    await settle();
    assert.deepEqual(events.failures, []);
    assert.equal(events.samples.length, 3);
  });

  test("the end of stdout without the end of the process loses the wire and stops the child", async () => {
    const { child, clock, events } = open();
    child.output.end();
    await settle();
    await clock.advance(49);
    assert.equal(events.losses.length, 0);
    await clock.advance(1);
    assert.equal(events.losses[0]?.code, "BACKEND_LOST");
    assert.match(events.losses[0]?.message ?? "", /closed its output/);
    assert.deepEqual(child.heard, ["end"]);
  });
});

describe("stdio wire, end of the child", () => {
  test("the loss names exit code and last stderr lines, masked and escaped, without waiting", async () => {
    const { child, events, stderr, exits, pids, clock } = open();
    stderr.push(new TextEncoder().encode("of the child before\n"));
    child.errors.push("Error: hunter2 is wrong\n\n  at \u001b[31mmain\n");
    child.exit({ code: 3 });
    await settle();
    const [error] = events.losses;
    assert.equal(error?.code, "BACKEND_LOST");
    assert.equal(error?.message, 'Cannot reach backend "demo": its process ended');
    assert.equal(error?.details.executed, "unknown");
    assert.match(
      error?.details.reason ?? "",
      /^exit code 3; stderr: .*Error: «secret» is wrong \| {3}at \\u001b\[31mmain$/,
    );
    assert.deepEqual(exits, [{ code: 3 }]);
    assert.deepEqual(pids, [4711]);
    assert.equal(clock.pending, 0);
  });

  test("the loss tells stderr of this child only", async () => {
    const ring = open();
    ring.stderr.push(new TextEncoder().encode("before\n"));
    const child = new FakeChild();
    const events = new KeptEvents();
    openStdioWire({
      spawner: spawnerOf(child),
      spawn: { name: "demo", command: "demo", args: [], env: {} },
      clock: ring.clock,
      stderr: ring.stderr,
      maxLineBytes: 1000,
      graceMs: GRACE_MS,
    })(events);
    child.exit({ signal: "SIGSEGV" });
    await settle();
    assert.equal(events.losses[0]?.details.reason, "signal SIGSEGV");
  });

  test("answers written just before the end still arrive", async () => {
    const { child, events } = open();
    child.exit({ code: 0 }, "open");
    child.output.push(answer(1));
    child.output.push(answer(2));
    child.output.end();
    child.errors.end();
    await settle();
    assert.equal(events.messages.length, 2);
    assert.equal(events.losses.length, 1);
  });

  test("pipes that others hold open delay the loss by one step, or as long as something comes", async () => {
    const silent = open();
    silent.child.exit({ code: 1 }, "open");
    await settle();
    await silent.clock.advance(49);
    assert.equal(silent.events.losses.length, 0);
    await silent.clock.advance(1);
    assert.equal(silent.events.losses.length, 1);

    const talking = open();
    talking.child.exit({ code: 1 }, "open");
    await settle();
    for (let step = 0; step < 9; step++) {
      talking.child.errors.push("still here\n");
      await talking.clock.advance(50);
      assert.equal(talking.events.losses.length, 0);
    }
    talking.child.errors.push("and on\n");
    await talking.clock.advance(50);
    assert.equal(talking.events.losses.length, 1);
  });

  test("a child that could not be started is a loss where nothing was executed", async () => {
    const child = new FakeChild();
    child.pid = undefined;
    const { events, pids } = open(child);
    child.exit({ failure: 'command not found: "demo"' });
    await settle();
    assert.equal(
      events.losses[0]?.message,
      'Cannot start backend "demo": command not found: "demo"',
    );
    assert.equal(events.losses[0]?.details.executed, "no");
    assert.deepEqual(pids, []);
  });
});

describe("stdio wire, close()", () => {
  test("stdin ends, SIGTERM follows after 2 s, SIGKILL after the grace", async () => {
    const { wire, child, clock, events } = open();
    wire.send("last");
    let closed = false;
    const closing = wire.close().then(() => closed = true);
    await settle();
    assert.deepEqual(child.heard, ["last\n", "end"]);
    await clock.advance(1999);
    assert.deepEqual(child.heard, ["last\n", "end"]);
    await clock.advance(1);
    assert.deepEqual(child.heard, ["last\n", "end", "SIGTERM"]);
    await clock.advance(GRACE_MS - 1);
    assert.equal(child.heard.at(-1), "SIGTERM");
    await clock.advance(1);
    assert.equal(child.heard.at(-1), "SIGKILL");
    assert.equal(closed, false);
    assert.equal(events.losses.length, 0);
    child.exit({ signal: "SIGKILL" });
    await closing;
    assert.match(events.losses[0]?.message ?? "", /it was stopped/);
    assert.equal(clock.pending, 0);
  });

  test("a child that leaves when stdin ends gets no signal, and may answer until then", async () => {
    const { wire, child, events } = open();
    const closing = wire.close();
    child.output.push(answer(1));
    child.exit({ code: 0 });
    await closing;
    assert.deepEqual(child.heard, ["end"]);
    assert.equal(events.messages.length, 1);
    assert.equal(events.losses.length, 1);
  });

  test("calling it again changes nothing and gives the same promise", async () => {
    const { wire, child } = open();
    const closing = wire.close();
    assert.equal(wire.close(), closing);
    child.exit({ code: 0 });
    await closing;
    await wire.close();
    assert.deepEqual(child.heard, ["end"]);
  });

  test("a process that outlasts SIGKILL does not hold it for ever", async () => {
    const { wire, clock, events } = open();
    const closing = wire.close();
    await settle();
    await clock.advance(2000 + GRACE_MS + 2000);
    await closing;
    assert.match(events.losses[0]?.message ?? "", /could not be stopped/);
  });
});
