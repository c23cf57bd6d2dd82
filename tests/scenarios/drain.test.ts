/** A full gateway is stopped under load (trust.md T72): every call is answered, every stream ends properly. */
import assert from "node:assert/strict";
import process from "node:process";
import { after, afterEach, before, describe } from "node:test";
import { stringify } from "smol-toml";
import { startWaitingBackend, type WaitingBackend } from "../core/front/waiting_backend.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { HttpSession, overHttp, type Rpc } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import { until } from "./until.ts";

const CALLS = 100;
const STREAMS = 100;
const STOPPING = -31055;
const TERMINATED = 143;
const READY_MS = 30_000;

describe("gateway stopped under load", () => {
  let backend: WaitingBackend;
  let gateway: Gateway | undefined;

  before(async () => {
    backend = await startWaitingBackend();
  });
  after(() => backend.close());
  afterEach(async () => {
    await gateway?.kill();
    gateway = undefined;
  });

  proves(
    ["G7.5", "U7"],
    "answers every call, in full or typed, and ends every stream",
    async () => {
      const slow = { url: backend.url, pool: { max_connections: CALLS } };
      const server = { drain_timeout: "5s" };
      const { url, pid, exited } = gateway = await startGateway(
        stringify({ server, backends: { slow } }),
      );
      await until(async () => assert.ok((await fetch(new URL("/ready", url))).ok), READY_MS);
      const fetched = overHttp(url);
      const sessions = await all(STREAMS, () => HttpSession.open(fetched));
      const streams = await Promise.all(sessions.map((session) => session.get()));
      const ended = streams.map((stream) => stream.text());
      const calls = sessions.slice(0, CALLS)
        .map((session) => session.call("slow__wait").then(outcomeOf));
      const reached = await all(CALLS, () => backend.next());

      process.kill(pid, "SIGTERM");
      for (const call of reached.slice(0, CALLS / 2)) call.answer();

      const outcomes = await Promise.all(calls);
      assert.equal(outcomes.filter((outcome) => outcome === "answered").length, CALLS / 2);
      const typed = outcomes.filter((outcome) => outcome === `${STOPPING} unknown`);
      assert.equal(typed.length, CALLS / 2);
      for (const text of await Promise.all(ended)) assert.match(text, /retry: \d+\n\n$/);
      assert.equal((await exited).code, TERMINATED);
    },
    { timeout: 90_000 },
  );
});

function all<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, make));
}

function outcomeOf(answer: Rpc): string {
  const error = answer["error"];
  return error === undefined ? "answered" : `${error.code} ${error.data?.executed}`;
}
