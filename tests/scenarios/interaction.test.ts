import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { stringify } from "smol-toml";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { proves } from "../support/proves.ts";
import { type HttpServer, packaged, startEverything } from "../support/servers.ts";
import { callTool, type Json, listTools, textOf } from "./clients.ts";
import { Gathering } from "./gathering.ts";
import { gather, marksIn, type Person } from "./people.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

/** Some come over Streamable HTTP, some over HTTP+SSE; all use the same ids and progress tokens. */
const OVER_HTTP = 6;
const OVER_SSE = 4;
const START_MS = 30_000;
const GATHER_MS = 30_000;
/** Well below the minute after which server-everything gives up asking and answers without. */
const FIRST_MS = 20_000;
const TIMEOUT = { timeout: 90_000 };
/** server-everything over each wire; `own` has a connection for each session. */
const BACKENDS = ["http", "own", "sse", "stdio"] as const;

describe("server-everything behind the gateway, ten clients at once", () => {
  let servers: readonly [HttpServer, HttpServer];
  let gateway: Gateway;
  let people: Person[] = [];

  before(async () => {
    servers = await Promise.all([startEverything("streamableHttp"), startEverything("sse")]);
    const [http, sse] = servers;
    const { command, args } = packaged("everything", ["stdio"]);
    gateway = await startGateway(stringify({
      backends: {
        http: { url: http.url },
        own: { url: http.url, instances: "per-session" },
        sse: { url: sse.url, transport: "http_sse" },
        stdio: { command, args: [...args], instances: "per-session" },
      },
    }));
    people = await gather([
      ...Array.from({ length: OVER_HTTP }, () => ({ http: gateway.url })),
      ...Array.from({ length: OVER_SSE }, () => ({ sse: gateway.sseUrl })),
    ]);
    await until(() => assertListed(people[0] as Person), START_MS);
  }, TIMEOUT);

  after(async () => {
    await stopAll([
      ...people.map(({ client }) => () => client.close()),
      gateway?.stop,
      ...(servers ?? []).map(({ stop }) => stop),
    ]);
  });

  for (const backend of BACKENDS) {
    proves(["G1.5", "G8.3"], `elicitation over ${backend}, asks the one who called`, async () => {
      const results = await askAll(
        "elicitation/create",
        (person) => callTool(person.client, `${backend}__trigger-elicitation-request`),
      );
      assertOwnMarks(people, results);
    }, TIMEOUT);

    proves("G1.5", `URL elicitation over ${backend}, asks the one who called`, async () => {
      const results = await askAll(
        "elicitation/create",
        (person) =>
          callTool(person.client, `${backend}__trigger-url-elicitation`, {
            url: `https://example.com/${person.mark}`,
          }),
      );
      assertOwnMarks(people, results);
    }, TIMEOUT);

    proves("G1.5", `sampling over ${backend}, asks the one who called`, async () => {
      const results = await askAll(
        "sampling/createMessage",
        (person) =>
          callTool(person.client, `${backend}__trigger-sampling-request`, {
            prompt: "Who are you?",
          }),
      );
      assertOwnMarks(people, results);
    }, TIMEOUT);

    proves("G1.5", `progress over ${backend}, goes to the one who called`, async () => {
      await Promise.all(people.map(async ({ client }, index) => {
        const steps = index + 2;
        const seen: number[] = [];
        await callTool(client, `${backend}__trigger-long-running-operation`, {
          duration: 0.5,
          steps,
        }, {
          onprogress: ({ progress, total }) => {
            assert.equal(total, steps);
            seen.push(progress);
          },
        });
        assertSteps(seen, steps);
      }));
    }, TIMEOUT);

    proves("G1.5", `cancellation over ${backend}, ends only the call it means`, async () => {
      const running = people.map((person, index) => startOperation(backend, person, index === 0));
      const [cancelled, ...others] = running;
      await Promise.all(running.map(({ begun }) => begun));

      cancelled?.cancel();

      await assert.rejects(cancelled?.result as Promise<Json>, /cancelled by the test/);
      for (const { result } of others) assert.match(textOf(await result), /operation completed/);
      const echo = await callTool((people[0] as Person).client, `${backend}__echo`, {
        message: "on",
      });
      assert.equal(textOf(echo), "Echo: on");
    }, TIMEOUT);
  }

  for (const backend of ["own", "sse", "stdio"] as const) {
    proves("G1.5", `roots over ${backend}, are those of the one who called`, async () => {
      const results = await Promise.all(
        people.map(({ client }) => callTool(client, `${backend}__get-roots-list`)),
      );
      assertOwnMarks(people, results);
    }, TIMEOUT);
  }

  for (const backend of ["own", "sse", "stdio"] as const) {
    proves(
      "G1.5",
      `roots over ${backend}, can be asked for in the first call of a session`,
      async () => {
        const [newcomer] = await gather([{ http: gateway.url }]) as [Person];
        try {
          const result = await callTool(newcomer.client, `${backend}__get-roots-list`, {}, {
            timeout: FIRST_MS,
          });
          assert.deepEqual(marksIn(textOf(result)), [newcomer.mark]);
        } finally {
          await newcomer.client.close();
        }
      },
      TIMEOUT,
    );
  }

  proves("G1.5", "roots over a connection that all share, are nobody's", async () => {
    const [first] = people as [Person];
    // Time for the gateway to open the stream on which the server asks.
    await callTool(first.client, "http__trigger-long-running-operation", { duration: 1, steps: 1 });
    // One after the other: with a single call in flight, its owner must not be taken for the one meant.
    // The server asks once for its whole session and would show his roots to all others.
    const marks: string[] = [];
    for (const { client } of people) {
      marks.push(...marksIn(textOf(await callTool(client, "http__get-roots-list"))));
    }
    assert.deepEqual(marks, []);
  }, TIMEOUT);

  /** Everybody calls; nobody answers before all have been asked, each exactly once. */
  async function askAll(
    method: string,
    call: (person: Person) => Promise<Json>,
  ): Promise<readonly Json[]> {
    const gathering = new Gathering(people.length, GATHER_MS);
    for (const person of people) {
      person.gathering = gathering;
      person.asked.length = 0;
    }
    const results = await Promise.all(people.map(call));
    for (const { asked } of people) {
      assert.deepEqual(asked.filter((name) => name === method), [method]);
    }
    return results;
  }
});

/** Tools that need a client's abilities come in a second list. */
async function assertListed({ client }: Person): Promise<void> {
  const names = (await listTools(client)).map((tool) => tool["name"]);
  for (const backend of BACKENDS) assert.ok(names.includes(`${backend}__get-roots-list`), backend);
}

function assertOwnMarks(people: readonly Person[], results: readonly Json[]): void {
  assert.deepEqual(
    results.map((result) => marksIn(textOf(result))),
    people.map(({ mark }) => [mark]),
  );
}

/** The SDK drops a notification that comes together with the answer; everything else must be there. */
function assertSteps(seen: readonly number[], steps: number): void {
  const all = Array.from({ length: steps }, (_, index) => index + 1);
  assert.deepEqual(seen, all.slice(0, seen.length));
  assert.ok(seen.length >= steps - 1, `saw ${seen.length} of ${steps}`);
}

interface Operation {
  readonly result: Promise<Json>;
  /** Resolves with the first progress: the backend works on it. */
  readonly begun: Promise<void>;
  cancel(): void;
}

function startOperation(backend: string, { client }: Person, endless: boolean): Operation {
  const controller = new AbortController();
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const args = endless ? { duration: 60, steps: 600 } : { duration: 2, steps: 20 };
  const result = callTool(client, `${backend}__trigger-long-running-operation`, args, {
    signal: controller.signal,
    onprogress: () => resolve(),
  });
  return { result, begun, cancel: () => controller.abort("cancelled by the test") };
}
