import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import * as v from "valibot";
import { GatewayEventSchema } from "../../src/contract/events.ts";
import { TOKENS } from "../support/management.ts";
import { runCli } from "./fake_io.ts";
import { withOperator } from "./operator.ts";
import { problemsOf } from "./published_schema.ts";

/** Waits of the client pass at once, except those for an answer. */
const impatient = {
  now: () => Date.now(),
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms < 5000 ? 0 : ms);
    return () => clearTimeout(timer);
  },
};

/** Presses Ctrl-C when so many lines were written. */
function lines(count: number) {
  const stop = new AbortController();
  let seen = 0;
  const onOut = (text: string) => {
    seen += text.split("\n").length - 1;
    if (seen >= count) stop.abort();
  };
  return { onOut, interrupt: stop.signal };
}

describe("events tail", () => {
  it("prints events as they happen, one JSON object a line, until Ctrl-C; the gateway goes on", () =>
    withOperator({}, async ({ run, management }) => {
      const { events } = management.gateway.core.control;
      const log = events.beside({ write: () => {} });
      log.write("config.unchanged", { text: "\u001b[31m" });
      const tail = run(["events", "tail", "--after", "0", "--json"], lines(events.last + 3));
      const ticking = setInterval(() => log.write("config.unchanged", { text: "\u009b" }), 1);
      const { code, out } = await tail;
      clearInterval(ticking);
      assert.equal(code, 130);
      assert.doesNotMatch(out.replaceAll("\n", ""), /\p{Cc}/u);
      const all = out.trimEnd().split("\n").map((line) => JSON.parse(line));
      for (const { schema, ...event } of all) {
        assert.equal(schema, "mcp-sentinel/v1/event");
        assert.deepEqual(v.parse(GatewayEventSchema, event), event);
      }
      const cursors = all.map(({ cursor }) => Number(cursor));
      assert.deepEqual(cursors, cursors.map((_cursor, index) => (cursors[0] ?? 0) + index));
      assert.match((await run(["status", "--json"])).out, /"state": ?"ready"/);
    }));

  it("prints lines for people, of what the filter lets through", () =>
    withOperator({}, async ({ run, management }) => {
      const log = management.gateway.core.control.events.beside({ write: () => {} });
      log.write("backend.ready", { backend: "docs" });
      log.write("backend.failed", { backend: "docs", reason: "a b\u001b" });
      const options = ["--after", "0", "--filter", "severity:error"];
      const { out, err } = await run(["events", "tail", ...options], lines(1));
      assert.match(
        out,
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ error backend\.failed +backend=docs reason="a b\\\\x1b" #\d+\n$/,
      );
      assert.equal(err, "connected\n");
    }));

  it("says a wrong filter, cursor and token at once", () =>
    withOperator({}, async ({ run }) => {
      const filter = await run(["events", "tail", "--filter", "sevrity:error"]);
      assert.equal(filter.code, 2);
      assert.match(filter.err, /did you mean "severity"\?/);
      const ahead = await run(["events", "tail", "--after", "999999"]);
      assert.equal(ahead.code, 1);
      assert.match(ahead.err, /help: /);
      assert.equal((await run(["events", "tail"], { token: TOKENS.wrong })).code, 5);
    }));

  it("connects again by itself, shows gaps, and waits for a gateway that stops", async () => {
    const status = await statusAnswer();
    const streams: IncomingMessage[] = [];
    const bodies = [
      event(1) + event(2),
      `event: gap\ndata: {"after":"2","oldest":"9","lost":6}\n\n${
        event(9)
      }event: stopping\ndata: {}\n\n`,
      event(10),
    ];
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      if (request.url?.endsWith("/status")) {
        response.writeHead(200, { "content-type": "application/json" });
        return response.end(status);
      }
      streams.push(request);
      response.writeHead(200, { "content-type": "text/event-stream" });
      return response.end(bodies[streams.length - 1] ?? "");
    };
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const argv = ["events", "tail", "--json", "--management-port", String(port)];
      const { code, out, err } = await runCli(argv, { clock: impatient, ...lines(5) });
      assert.equal(code, 130);
      const told = out.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(told.map(({ cursor }) => cursor), ["1", "2", undefined, "9", "10"]);
      assert.deepEqual(told[2], {
        schema: "mcp-sentinel/v1/gap",
        after: "2",
        oldest: "9",
        lost: 6,
      });
      for (const one of told) {
        assert.deepEqual(problemsOf("cursor" in one ? "event" : "gap", one), []);
      }
      assert.match(err, /^connected\nconnection lost: .*; next try in 0?\d+s\nconnected\n/);
      assert.match(err, /has stopped; waiting until it is back\n.* is back\nconnected\n/);
      assert.equal(streams[1]?.headers["last-event-id"], "2");
      assert.match(streams[2]?.url ?? "", /after=9/);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

function event(cursor: number): string {
  const data = {
    cursor: String(cursor),
    at: "2026-11-20T14:01:58.000Z",
    event: "config.unchanged",
    severity: "info",
    fields: {},
  };
  return `id: ${cursor}\nevent: event\ndata: ${JSON.stringify(data)}\n\n`;
}

async function statusAnswer(): Promise<string> {
  let text = "";
  await withOperator({}, async ({ management }) => {
    const { json } = await management.ask("GET", "/manage/v1/status", { token: TOKENS.read });
    text = JSON.stringify(json);
  });
  return text;
}
