/** Processes of both eras on real pipes, and such that take the question for their era badly. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { JsonObject } from "../../../src/core/mcp/json.ts";
import { fixtureBackend } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { eventually } from "../../support/http_fixture_wire.ts";
import { executable, REPOSITORY } from "../../support/runtime.ts";
import { drive, type Driven, toolCall } from "./backend_driver.ts";

const CHILD = join(REPOSITORY, "tests/fixtures/children/modern.ts");

function modernChild(extra: Record<string, unknown> = {}, args: readonly string[] = []) {
  return { command: executable("node"), args: [CHILD, ...args], ...extra };
}

/** A legacy server in a few lines: answers what `ANSWERS` has, and does `onUnknown` with anything else. */
function tinyChild(onUnknown: string): Record<string, unknown> {
  const program = `
    const say = (id, result) => console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
      console.error(line);
      const { id, method } = JSON.parse(line);
      if (id === undefined) return;
      if (method === "initialize") say(id, { protocolVersion: "2025-06-18", capabilities: {} });
      else if (method === "tools/call") say(id, { content: [] });
      else { ${onUnknown} }
    });`;
  return { command: executable("node"), args: ["-e", program] };
}

const GREETED = ["server/discover", "initialize", "notifications/initialized"];

/** Methods of what the child got, of all its lives. */
function got({ backend }: Driven): unknown[] {
  return backend.logs().lines.map((line) => (JSON.parse(line) as JsonObject)["method"]);
}

describe("a modern backend on pipes", () => {
  it("is discovered on its one process and serves interleaved calls of all callers", async () => {
    await using driven = await drive(modernChild());
    await driven.settled;
    const { era, protocol, tools, links } = driven.backend.status(0);
    assert.deepEqual([era, protocol, tools, links], ["modern", "2026-07-28", 6, 1]);
    const links2 = await Promise.all([
      driven.link(driven.caller({})),
      driven.link(driven.caller({ elicitation: {} })),
    ]);
    assert.equal(links2[0], links2[1]);
    const waiting = (await driven.link()).request(toolCall("wait", { owner: "slow" }));
    const late = waiting.reply.catch(() => "cancelled");
    const replies = await Promise.all(
      [1, 2, 3].map((n) =>
        driven.call("échø", { owner: `o${n}`, params: { name: "échø", arguments: { n } } })
      ),
    );
    assert.deepEqual(
      replies.map((reply) =>
        "result" in reply &&
        (JSON.parse(reply.result) as { content: { text: string }[] }).content[0]?.text
      ),
      ['{"n":1}', '{"n":2}', '{"n":3}'],
    );
    waiting.cancel("enough");
    assert.equal(await late, "cancelled");
    await eventually("the news of it", () => driven.backend.logs().lines.includes("cancelled"));
    const ask = await driven.call("ask", { client: { capabilities: { elicitation: {} } } });
    assert.ok("result" in ask && ask.type === "input_required", JSON.stringify(ask));
  });

  it("tells of changes and of watched resources", async () => {
    await using driven = await drive(modernChild());
    await driven.settled;
    const link = await driven.link();
    const before = driven.backend.found;
    await driven.call("grow");
    await eventually("another reading", () => driven.backend.found !== before);
    const watched = await link.watch?.(["note:a"]);
    assert.ok(watched !== undefined && "result" in watched);
    assert.deepEqual(
      (JSON.parse(watched.result) as JsonObject)["resourceSubscriptions"],
      ["note:a"],
    );
    await driven.call("touch", { params: { name: "touch", arguments: { uri: "note:a" } } });
    await eventually("the update", () => driven.updated.includes("note:a"));
    assert.deepEqual([driven.updated.length, driven.backend.inFlight], [1, 0]);
  });

  it("is asked before it is greeted, also when it speaks both eras", async () => {
    await using both = await drive(modernChild({}, ["both"]));
    await both.settled;
    assert.equal(both.backend.status(0).era, "modern");
    await using pinned = await drive(modernChild({ era: "legacy" }, ["both"]));
    await pinned.settled;
    assert.equal(pinned.backend.status(0).era, "legacy");
    await using strict = await drive(modernChild({ era: "legacy" }));
    await strict.settled;
    assert.equal(strict.backend.state, "backoff");
  });
});

describe("a legacy backend on pipes", () => {
  it("that refuses the question is greeted on the same process", async () => {
    await using driven = await drive(fixtureBackend());
    await driven.settled;
    const { state, era } = driven.backend.status(0);
    assert.deepEqual([state, era, driven.events("backend.exited")], ["ready", "legacy", []]);
    assert.equal("result" in await driven.call("echo"), true);
  });

  it("that ends because of the question gets a new process at once, and is not asked again", async () => {
    await using driven = await drive(tinyChild("process.exit(3)"));
    await driven.settled;
    const { state, era, restarts } = driven.backend.status(0);
    assert.deepEqual([state, era, restarts], ["ready", "legacy", 0]);
    await eventually("the handshake", () => got(driven).length === 3);
    assert.deepEqual(got(driven), GREETED);
    driven.backend.reconnect();
    await eventually("another start", () => got(driven).length === 5);
    assert.deepEqual(got(driven), [...GREETED, "initialize", "notifications/initialized"]);
  });

  it("that does not answer the question is greeted after two seconds on the same process", async () => {
    const clock = new FakeClock();
    await using driven = await drive(tinyChild(""), clock);
    await eventually("the question", () => got(driven).length === 1);
    await clock.advance(1999);
    assert.equal(driven.backend.state, "starting");
    await clock.advance(1);
    await driven.settled;
    const { state, era } = driven.backend.status(0);
    assert.deepEqual([state, era, driven.backend.inFlight], ["ready", "legacy", 0]);
    await eventually("the handshake", () => got(driven).length === 3);
    assert.deepEqual(got(driven), GREETED);
    assert.deepEqual(driven.events("backend.exited"), []);
    // Nobody waits for the answer to the question any more, and no ping is due.
    await clock.advance(20_000);
    assert.deepEqual(got(driven), GREETED);
  });

  it("is no modern one because the configuration says so", async () => {
    await using driven = await drive({ ...fixtureBackend(), era: "modern" });
    await driven.settled;
    const [failure] = driven.events("backend.failed");
    assert.match(String(failure?.["reason"]), /does not speak the modern era/);
    assert.match(String(failure?.["detail"]), /-32601/);
  });

  it("that cannot be started is not started twice", async () => {
    await using driven = await drive({ command: "/nowhere/at/all" });
    await driven.settled;
    assert.equal(driven.backend.state, "backoff");
    assert.equal(driven.events("backend.exited").length, 1);
  });
});
