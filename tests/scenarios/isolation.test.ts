import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ConfigInput, startCore, type TestCore } from "../support/core.ts";
import { refusedUrl } from "../support/http_fixture.ts";
import { eventually } from "../support/http_fixture_wire.ts";
import { HttpSession } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import { type FaultyBackend, hang, serveFaulty, status } from "./faulty_backend.ts";

const WELL = ["w1", "w2", "w3"];
const TIMEOUT = { timeout: 30_000 };
/** So many calls hang at the one backend; more than it may have. */
const HANGING = 20;

describe("one bad backend among good ones", () => {
  const backends = new Map<string, FaultyBackend>();
  let core: TestCore;
  let session: HttpSession;

  before(async () => {
    for (const name of [...WELL, "hangs", "fails"]) backends.set(name, await serveFaulty());
    const tables = Object.fromEntries(
      [...backends].map(([name, { url }]) => [name, {
        url: url.href,
        retry: { attempts: 1 },
        limits: { in_flight: 8, queue: 4, queue_wait: "50ms" },
      }]),
    );
    const refuses = { url: (await refusedUrl()).href };
    core = await startCore({ backends: { ...tables, refuses } } as ConfigInput);
    const { control } = core.core;
    for (const name of backends.keys()) {
      await eventually(`backend ${name}`, () => control.backend(name, 0).state === "ready");
    }
    session = await HttpSession.open(core.core.fetch);
    of("hangs").fate = hang;
    of("fails").fate = status(500);
  }, TIMEOUT);

  after(async () => {
    await core?.stop();
    for (const backend of backends.values()) await backend.close();
  });

  function of(name: string): FaultyBackend {
    return backends.get(name) as FaultyBackend;
  }

  /** The code of the error of a call; undefined when it was answered. */
  async function codeOf(backend: string): Promise<unknown> {
    return (await session.call(`${backend}__a`))["error"]?.data.code;
  }

  proves(["G7.4", "G3.3"], "keeps no call of another waiting, and fails none", async () => {
    const hanging = Array.from({ length: HANGING }, () => codeOf("hangs"));
    // Those that hang to the end have no answer when the gateway stops.
    for (const call of hanging) call.catch(() => {});
    await eventually("calls that hang", () => of("hangs").reached.length === 8);
    const failing = Array.from({ length: 10 }, () => codeOf("fails"));
    for (let round = 0; round < 20; round++) {
      assert.deepEqual(await Promise.all(WELL.map(codeOf)), WELL.map(() => undefined));
    }
    assert.ok((await Promise.all(failing)).includes("BACKEND_PROTOCOL"));
    // What waits for the one that hangs is told so in time; the others still hang.
    const overloaded = await Promise.all(hanging.slice(8));
    assert.deepEqual(new Set(overloaded), new Set(["OVERLOADED"]));
    assert.equal(of("hangs").reached.length, 8);
  }, TIMEOUT);

  it("is told apart in the state of each", TIMEOUT, async () => {
    await codeOf("fails");
    const { control } = core.core;
    const circuitOf = (name: string) => control.backend(name, 0).circuit.state;
    assert.equal(circuitOf("fails"), "open");
    assert.deepEqual([...WELL, "hangs"].map(circuitOf), Array(4).fill("closed"));
    assert.equal(control.backend("hangs", 0).inFlight, 8);
    assert.match(
      control.backend("refuses", 0).lastError ?? "",
      /connection refused|exchange failed/,
    );
  });
});
