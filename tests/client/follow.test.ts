import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FollowOptions, ManagementClientOptions } from "../../src/client/mod.ts";
import { FakeClock, settle } from "../support/fake_clock.ts";
import { clientGone, gate, type HttpHandler } from "../support/http_fixture.ts";
import { clientOf, countListeners, cut, hang, json, refusal, scripted, TOKEN } from "./scripted.ts";
import {
  brokenStream,
  endedStream,
  eventOf,
  events,
  HEARTBEAT,
  notice,
  States,
  stream,
  take,
} from "./streams.ts";

const CALL = {
  request: "0198c5e0-0000-7000-8000-000000000000",
  at: "2026-01-01T00:00:00.000Z",
  method: "tools/call",
  outcome: "ok",
  durationMs: 1.5,
  session: "0123456789ab",
  transport: "http",
  protocol: "2025-11-25",
};

type Options = FollowOptions<"eventStream">;

/** Follows the events of a script, with a clock that skips the waits between attempts. */
async function followed(
  answers: readonly HttpHandler[],
  options: Options = {},
  clientOptions: Partial<ManagementClientOptions> = {},
) {
  const server = await scripted(...answers);
  const clock = new FakeClock();
  const states = new States(clock);
  const client = clientOf(server.url, { clock, random: () => 1, ...clientOptions });
  const entries = client.follow("eventStream", { onState: states.onState, ...options });
  return {
    ...server,
    clock,
    states,
    entries,
    [Symbol.asyncDispose]: async () => {
      await entries.return?.();
      await server[Symbol.asyncDispose]();
      assert.equal(clock.pending, 0, "a timer was left");
    },
  };
}

/** What a script makes of a stream that is expected to fail. */
async function failedBy(...answers: readonly HttpHandler[]) {
  await using it = await followed(answers);
  const error = await take(it.entries, 1000).then(
    (taken) => assert.fail(`it ended after ${JSON.stringify(taken)}`),
    (thrown: unknown) => thrown as { kind?: string; code?: string; last?: string; message: string },
  );
  assert.deepEqual(await it.entries.next(), { done: true, value: undefined });
  const { state, error: told } = it.states.last ?? {};
  assert.equal(told, error, "the last state says why");
  return { error, state, seen: it.seen };
}

describe("a stream", () => {
  it("delivers events as they come and says that it is live", async () => {
    await using it = await followed([stream(events(1, 2), HEARTBEAT, events(3))]);
    assert.equal(it.seen.length, 0, "nothing is asked for before it is wanted");
    const { value } = await it.entries.next();
    assert.deepEqual(value, { kind: "event", data: eventOf(1) });
    assert.deepEqual(await take(it.entries, 2), [2, 3]);
    assert.deepEqual(it.states.names, ["connecting", "live"]);
    const [seen] = it.seen;
    assert.equal(seen?.url, "/manage/v1/events/stream");
    assert.equal(seen?.headers.accept, "text/event-stream");
    assert.equal(seen?.headers.authorization, `Bearer ${TOKEN}`);
    assert.equal(seen?.headers["last-event-id"], undefined);
  });

  const starts = [
    [{}, ""],
    [{ from: "now" }, ""],
    [{ from: "oldest" }, "?after=0"],
    [{ from: "17" }, "?after=17"],
    [{ from: "17", filter: "severity:error" }, "?filter=severity%3Aerror&after=17"],
  ] as const;
  for (const [options, query] of starts) {
    it(`begins as asked: ${JSON.stringify(options)}`, async () => {
      await using it = await followed([stream(events(18))], options);
      await it.entries.next();
      assert.equal(it.seen[0]?.url, `/manage/v1/events/stream${query}`);
    });
  }

  it("takes bytes that are split anywhere, also within a character", async () => {
    const text = events(1).replace("files", "größe €");
    const bytes = new TextEncoder().encode(text);
    await using it = await followed([async (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const byte of bytes) {
        await new Promise<void>((resolve) => response.write(Uint8Array.of(byte), () => resolve()));
      }
    }]);
    const { value } = await it.entries.next();
    assert.equal(value?.kind === "event" && value.data.fields["backend"], "größe €");
  });

  it("skips kinds of messages it does not know", async () => {
    await using it = await followed([stream(notice("later", "?"), "data: x\n\n", events(5))]);
    assert.deepEqual(await take(it.entries, 1), [5]);
  });

  it("keeps no listener for each read", async () => {
    const pieces = Array.from({ length: 50 }, (_, index) => events(index + 1));
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.shift();
        if (piece !== undefined) controller.enqueue(new TextEncoder().encode(piece));
      },
    }, { highWaterMark: 0 });
    let listeners: () => number = () => -1;
    const fetch = (_url: string, { signal }: RequestInit) => {
      listeners = countListeners(signal as AbortSignal);
      const headers = { "content-type": "text/event-stream" };
      return Promise.resolve(new Response(body, { headers }));
    };
    await using it = await followed([hang], {}, { fetch });
    await take(it.entries, 50);
    assert.ok(listeners() <= 1, `${listeners()} listeners`);
  });

  it("reads no more than is taken", async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new TextEncoder().encode(events(2 * pulled - 1, 2 * pulled)));
      },
    }, { highWaterMark: 0 });
    const headers = { "content-type": "text/event-stream" };
    const fetch = () => Promise.resolve(new Response(body, { headers }));
    await using it = await followed([hang], {}, { fetch });
    assert.deepEqual(await take(it.entries, 3), [1, 2, 3]);
    await settle();
    assert.equal(pulled, 2);
    assert.deepEqual(await take(it.entries, 2), [4, 5]);
    assert.equal(pulled, 3);
  });
});

describe("a stream that breaks", () => {
  it("goes on after the last event, without a gap and without a repetition", async () => {
    await using it = await followed([
      endedStream(events(1, 2), events(3).slice(0, 60)),
      brokenStream(),
      stream(events(2, 3, 4)),
    ], { from: "oldest", filter: "x" });
    assert.deepEqual(await take(it.entries, 4), [1, 2, 3, 4]);
    assert.deepEqual(it.states.names, ["connecting", "live", "stale", "live", "stale", "live"]);
    for (const { url, headers } of it.seen.slice(1)) {
      assert.equal(headers["last-event-id"], "2");
      assert.equal(url, "/manage/v1/events/stream?filter=x");
    }
  });

  it("is stale since the last sign of life", async () => {
    const heard = gate();
    await using it = await followed([async (request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(events(1));
      await heard.passed;
      request.socket.destroy();
    }, stream(events(2))]);
    await it.entries.next();
    const since = it.clock.now();
    const next = it.entries.next();
    await it.clock.advance(20_000);
    heard.open();
    const { error, retryInMs, ...stale } = await it.states.until(({ state }) => state === "stale");
    assert.deepEqual(stale, { state: "stale", since });
    assert.equal(error?.kind, "unreachable");
    assert.equal(retryInMs, 1000);
    assert.equal((await next).value?.kind, "event");
    assert.equal(it.states.last?.since, since + 21_000);
  });

  it("waits 1, 2, 4 … 30 s for the next attempt, and 1 s again after a sign of life", async () => {
    const down = Array.from({ length: 7 }, () => cut);
    await using it = await followed([...down, endedStream("id: 0\n\n"), stream(events(1))]);
    assert.deepEqual(await take(it.entries, 1), [1]);
    const waits = it.states.seen.map(({ retryInMs }) => retryInMs).filter((ms) => ms !== undefined);
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 1000]);
    const before = it.states.seen.slice(0, 8);
    assert.ok(before.every(({ state }) => state === "connecting"), "it never was live");
    assert.deepEqual(it.states.names.slice(8), ["live", "stale", "live"]);
  });

  it("spreads the attempts over the upper half of each wait", async () => {
    const random = () => 0;
    await using it = await followed([cut, cut, stream(events(1))], {}, { random });
    await it.entries.next();
    const waits = it.states.seen.map(({ retryInMs }) => retryInMs).filter((ms) => ms !== undefined);
    assert.deepEqual(waits, [500, 1000]);
  });

  it("waits as long as the gateway asks, within reason", async () => {
    await using it = await followed([
      refusal(503, "OVERLOADED", { retryAfterMs: 12_345 }),
      refusal(429, "RATE_LIMITED", { retryAfterMs: 9_999_999 }),
      stream(events(1)),
    ]);
    await it.entries.next();
    const waits = it.states.seen.map(({ retryInMs }) => retryInMs).filter((ms) => ms !== undefined);
    assert.deepEqual(waits, [12_345, 300_000]);
  });

  it("is broken when nothing comes for 45 s, and live as long as something does", async () => {
    const responses: { write(text: string): void }[] = [];
    await using it = await followed([(request, response) => {
      responses.push(response);
      return stream(events(1))(request, response);
    }, stream(events(2))]);
    await it.entries.next();
    const next = it.entries.next();
    const armed = async () => {
      while (it.clock.next !== 45_000) await settle();
    };
    for (let beat = 0; beat < 6; beat++) {
      await armed();
      await it.clock.advance(15_000);
      responses[0]?.write(HEARTBEAT);
    }
    await armed();
    assert.deepEqual(it.states.names, ["connecting", "live"]);
    const since = it.clock.now();
    await it.clock.advance(45_000);
    const { error, ...state } = await it.states.until(({ state }) => state === "stale");
    assert.deepEqual(state, { state: "stale", since, retryInMs: 1000 });
    assert.equal(error?.kind, "timeout");
    assert.equal((await next).value?.kind, "event");
    assert.equal(it.seen[1]?.headers["last-event-id"], "1");
  });

  it("does not take its own reader's slowness for silence", async () => {
    const late = gate();
    await using it = await followed([async (request, response) => {
      await stream(events(1, 2))(request, response);
      await late.passed;
      response.write(events(3));
    }]);
    await it.entries.next();
    await it.clock.advance(1_000_000);
    assert.deepEqual(await take(it.entries, 1), [2]);
    late.open();
    assert.deepEqual(await take(it.entries, 1), [3]);
    assert.deepEqual(it.states.names, ["connecting", "live"]);
  });

  it("gives up an attempt that gets no answer within 10 s", async () => {
    await using it = await followed([hang, stream(events(1))]);
    const next = it.entries.next();
    await it.came(1);
    await it.clock.advance(10_000);
    const state = await it.states.until(({ error }) => error !== undefined);
    assert.equal(state.state, "connecting");
    assert.equal(state.error?.kind, "timeout");
    assert.equal((await next).value?.kind, "event");
  });

  it("is connected again when it ended properly, or was ended for slowness", async () => {
    await using it = await followed([
      endedStream(events(1)),
      endedStream(events(2), notice("slow", { lost: 3 })),
      stream(events(3)),
    ]);
    assert.deepEqual(await take(it.entries, 3), [1, 2, 3]);
    assert.equal(it.seen[2]?.headers["last-event-id"], "2");
    assert.match(it.states.seen.at(-2)?.error?.message ?? "", /too slowly/);
  });

  it("resumes after a bare id: an event that the filter kept back", async () => {
    await using it = await followed([endedStream("id: 40\n: \n\n"), stream(events(41))]);
    assert.deepEqual(await take(it.entries, 1), [41]);
    assert.equal(it.seen[1]?.headers["last-event-id"], "40");
  });

  it("loses and repeats nothing over 100 reconnects, wherever they break", async () => {
    const last = 400;
    let connections = 0;
    const cuts: HttpHandler = (request, response) => {
      connections += 1;
      const after = Number(request.headers["last-event-id"] ?? 0);
      const ahead = [1, 2, 3, 4].map((step) => after + step).filter((n) => n <= last);
      // The last event again, then whole ones, then a piece of one.
      const piece = events(after + 5).slice(0, 60);
      const texts = [events(Math.max(1, after), ...ahead), piece];
      // What was not read yet is lost when the connection breaks, so only the other half moves on.
      const answer = connections % 2 === 0 ? brokenStream(...texts) : endedStream(...texts);
      return answer(request, response);
    };
    await using it = await followed([cuts], { from: "oldest" });
    const taken = await take(it.entries, last);
    assert.deepEqual(taken, Array.from({ length: last }, (_, index) => index + 1));
    assert.ok(connections >= 100, `only ${connections} connections`);
  });
});

describe("what is missing from a stream", () => {
  it("shows as a gap where it is missing", async () => {
    const gap = { after: "3", oldest: "90", lost: 86 };
    await using it = await followed([stream(notice("gap", gap), events(90))], { from: "3" });
    assert.deepEqual(await take(it.entries, 2), [{ kind: "gap", ...gap }, 90]);
  });

  it("is told once, also when the connection breaks right after", async () => {
    const gap = { after: "3", oldest: "90", lost: 86 };
    await using it = await followed([endedStream(notice("gap", gap)), stream(events(90))]);
    assert.deepEqual(await take(it.entries, 2), [{ kind: "gap", ...gap }, 90]);
    assert.equal(it.seen[1]?.headers["last-event-id"], "89");
  });

  it("is said as unknown when the stream broke before it had a cursor", async () => {
    await using it = await followed([endedStream(HEARTBEAT), stream(events(9))]);
    assert.deepEqual(await take(it.entries, 2), [{ kind: "gap" }, 9]);
  });

  it("is not said to be nothing when its number is unknown", async () => {
    const slow = endedStream(HEARTBEAT, notice("slow", { lost: 0 }));
    await using it = await followed([slow, stream(events(9))]);
    assert.deepEqual(await take(it.entries, 2), [{ kind: "gap" }, 9]);
  });

  it("is no gap when the first connection was never made", async () => {
    await using it = await followed([cut, stream(events(9))]);
    assert.deepEqual(await take(it.entries, 1), [9]);
  });

  it("shows as a gap in calls, which have no cursors, with the number that is known", async () => {
    const call = notice("call", CALL);
    await using server = await scripted(
      endedStream(call),
      endedStream(call, notice("slow", { lost: 12 })),
      stream(call),
    );
    const clock = new FakeClock();
    const { onState } = new States(clock);
    const calls = clientOf(server.url, { clock }).follow("callStream", { onState, filter: "x" });
    const taken: object[] = [];
    for await (const entry of calls) {
      taken.push(entry);
      if (taken.length === 5) break;
    }
    const event = { kind: "event", data: CALL };
    assert.deepEqual(taken, [event, { kind: "gap" }, event, { kind: "gap", lost: 12 }, event]);
    assert.equal(server.seen[2]?.url, "/manage/v1/calls/stream?filter=x");
    assert.equal(server.seen[2]?.headers["last-event-id"], undefined);
  });
});

describe("the end of a stream", () => {
  it("without a valid token is said as such, at the start, later and within", async () => {
    const refused = refusal(401, "UNAUTHENTICATED");
    const scripts = [
      [refused],
      [endedStream(events(1)), refused],
      [stream(events(1), notice("unauthorized"))],
    ];
    for (const script of scripts) {
      const { error, state } = await failedBy(...script);
      assert.equal(error.kind, "unauthorized");
      assert.equal(state, "unauthorized");
    }
    const { error, state } = await failedBy(refusal(403, "INSUFFICIENT_SCOPE"));
    assert.equal(error.kind, "forbidden");
    assert.equal(state, "unauthorized");
  });

  it("is final for what another attempt would not mend", async () => {
    const wrong: readonly (readonly [HttpHandler, string, string])[] = [
      [refusal(400, "INVALID_PARAMS"), "refused", "INVALID_PARAMS"],
      [refusal(404, "NOT_FOUND"), "not_found", "NOT_FOUND"],
      [refusal(410, "CURSOR_UNKNOWN", { last: "5" }), "refused", "CURSOR_UNKNOWN"],
    ];
    for (const [answer, kind, code] of wrong) {
      const { error, state, seen } = await failedBy(answer);
      assert.deepEqual({ kind: error.kind, code: error.code, state }, {
        kind,
        code,
        state: "gone",
      });
      assert.equal(seen.length, 1);
      if (code === "CURSOR_UNKNOWN") assert.equal(error.last, "5");
    }
  });

  const garbage: readonly (readonly [string, HttpHandler])[] = [
    ["no event stream", json({})],
    ["an empty answer", (_request, response) => void response.writeHead(204).end()],
    ["a redirect", (_request, response) => {
      response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
    }],
    ["data that is not JSON", stream("id: 1\nevent: event\ndata: {\n\n")],
    ["another shape", stream(`id: 1\n${notice("event", { cursor: 1 })}`)],
    ["an event without a cursor", stream(notice("event", eventOf(1)))],
    ["a cursor that is no number", stream(`id: x\n${notice("event", eventOf(1))}`)],
    ["a gap of another shape", stream(notice("gap", { oldest: [] }))],
    ["an endless event", stream("data: ".padEnd(1_100_000, "x"))],
    ["other than UTF-8", (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(Uint8Array.of(0x64, 0xff, 0xff, 0x0a));
    }],
  ];
  for (const [name, answer] of garbage) {
    it(`is a mismatch for ${name}`, async () => {
      const { error, state } = await failedBy(answer);
      assert.equal(error.kind, "mismatch", error.message);
      assert.equal(state, "gone");
    });
  }

  it("comes quietly when the gateway stops", async () => {
    const stopping = refusal(503, "STOPPING");
    for (
      const script of [[stream(events(1), notice("stopping"))], [endedStream(events(1)), stopping]]
    ) {
      await using it = await followed(script);
      assert.deepEqual(await take(it.entries, 9), [1]);
      assert.equal(it.states.last?.state, "gone");
      assert.equal(it.states.last?.error?.code, "STOPPING");
    }
  });

  it("frees the connection when the loop is left", async () => {
    const gone = gate();
    await using it = await followed([async (request, response) => {
      await stream(events(1, 2))(request, response);
      await clientGone(response);
      gone.open();
    }]);
    for await (const _entry of { [Symbol.asyncIterator]: () => it.entries }) break;
    await gone.passed;
    assert.deepEqual(it.states.names, ["connecting", "live", "gone"]);
    assert.equal(it.states.last?.error, undefined);
    assert.equal((await it.entries.next()).done, true);
  });

  it("comes at once by `return()`, also while an entry is awaited", async () => {
    const gone = gate();
    await using it = await followed([async (request, response) => {
      await stream(events(1))(request, response);
      await clientGone(response);
      gone.open();
    }]);
    await it.entries.next();
    const waiting = it.entries.next();
    await it.entries.return?.();
    assert.equal((await waiting).done, true);
    await gone.passed;
    assert.equal(it.clock.pending, 0);
  });

  it("comes by the signal: while reading, connecting, waiting, and before the start", async () => {
    const script: readonly (readonly [HttpHandler, string])[] = [
      [stream(HEARTBEAT), "live"],
      [hang, "connecting"],
      [cut, "connecting"],
    ];
    for (const [answer, state] of script) {
      const controller = new AbortController();
      const states = new States();
      await using server = await scripted(answer);
      const clock = new FakeClock();
      const client = clientOf(server.url, { clock });
      const { signal } = controller;
      const entries = client.follow("eventStream", { signal, onState: states.onState });
      const waiting = entries.next();
      await server.came(1);
      await states.until((found) =>
        found.state === state && (answer !== cut || found.retryInMs !== undefined)
      );
      controller.abort();
      assert.deepEqual(await waiting, { done: true, value: undefined });
      assert.equal(states.last?.state, "gone");
      assert.equal(clock.pending, 0);
    }
    await using it = await followed([hang], { signal: AbortSignal.abort() });
    assert.equal((await it.entries.next()).done, true);
    assert.equal(it.seen.length, 0);
  });

  it("delivers nothing after the signal, also of what was read before", async () => {
    const controller = new AbortController();
    await using it = await followed([stream(events(1, 2, 3))], { signal: controller.signal });
    await it.entries.next();
    controller.abort();
    assert.equal((await it.entries.next()).done, true);
  });

  it("before its start asks for nothing", async () => {
    await using it = await followed([hang]);
    await it.entries.return?.();
    assert.equal((await it.entries.next()).done, true);
    assert.equal(it.seen.length, 0);
  });

  it("comes with an error of who listens to the states, and frees the connection", async () => {
    const gone = gate();
    const defect = new Error("listener");
    const onState = ({ state }: { state: string }) => {
      if (state === "live") throw defect;
    };
    await using it = await followed([async (request, response) => {
      await stream(events(1))(request, response);
      await clientGone(response);
      gone.open();
    }], { onState });
    await assert.rejects(it.entries.next(), defect);
    await gone.passed;
  });
});
