import assert from "node:assert/strict";
import { connect } from "node:net";
import { afterEach, describe, test } from "node:test";
import { MemoryStateStore } from "../../src/stores/memory/state_store.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { startManagement, type TestManagement, TOKENS } from "../support/management.ts";
import { eventually } from "../support/http_fixture_wire.ts";

const headers = { authorization: `Bearer ${TOKENS.read}` };

describe("streams of the management API over HTTP", () => {
  let management: TestManagement;
  afterEach(() => management.stop());

  function report(): void {
    const { events } = management.gateway.core.control;
    events.beside({ write: () => {} }).write("backend.ready", {});
  }

  const openStreams = () =>
    /sentinel_streams_active\{kind="management_events"\} (\d+)/
      .exec(management.gateway.telemetry.expose(undefined).text)?.[1];

  test("the head comes at once, events as they happen, and leaving frees the stream", async () => {
    management = await startManagement();
    const url = new URL("/manage/v1/events/stream", await management.listen());
    for (let round = 0; round < 20; round++) {
      const aborting = new AbortController();
      const response = await fetch(url, { headers, signal: aborting.signal });
      assert.equal(response.headers.get("content-type"), "text/event-stream");
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      assert.match((await reader?.read())?.value ?? "", /^: connected/);
      report();
      assert.match((await reader?.read())?.value ?? "", /event: event\ndata: \{/);
      aborting.abort();
      await reader?.read().catch(() => {});
    }
    await eventually("no stream is open", () => openStreams() === "0");
  });

  test("a client that reads nothing holds no more than what is under way", async () => {
    const clock = new FakeClock();
    const state = new MemoryStateStore();
    const fields = { text: "x".repeat(10_000) };
    for (let index = 0; index < 10_000; index++) {
      const at = "2026-01-01T00:00:00.000Z";
      state.append({ at, event: "backend.ready", severity: "info", fields });
    }
    let furthest = 0;
    const after = state.eventsAfter.bind(state);
    state.eventsAfter = (cursor, limit) => {
      furthest = Math.max(furthest, cursor);
      return after(cursor, limit);
    };
    management = await startManagement({ clock, state });
    const { port } = await management.listen();
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    socket.pause();
    socket.write(
      "GET /manage/v1/events/stream?after=1 HTTP/1.1\r\nhost: localhost\r\n" +
        `authorization: ${headers.authorization}\r\n\r\n`,
    );
    const isOver = () => management.log.some(({ event }) => event === "management.slow_reader");
    await eventually("the stream has begun", () => furthest > 0);
    for (let round = 0; round < 200 && !isOver(); round++) {
      await clock.advance(5000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    socket.destroy();
    assert.ok(isOver());
    // Of 100 MB; the buffers of sockets and runtimes took the beginning.
    assert.ok(furthest < 5000, `read up to ${furthest}`);
    assert.equal(openStreams(), "0");
  });

  test("a stop ends them", async () => {
    management = await startManagement();
    const base = await management.listen();
    const response = await fetch(new URL("/manage/v1/calls/stream", base), { headers });
    const text = response.text();
    management.manage.closeStreams();
    assert.match(await text, /event: stopping\n/);
  });
});
