/** Names of backends that have not answered since the start: neither there nor unknown. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Interceptor } from "../../../src/core/mod.ts";
import { until } from "../../scenarios/until.ts";
import { type ChangingBackend, startChangingBackend } from "../../support/changing_backend.ts";
import { type ConfigInput, startCore, type TestCore } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { HttpSession, type Rpc } from "../../support/http_session.ts";
import { AUDIENCE, secretKey, tokenOf } from "../auth/tokens.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const KEY = secretKey("HS256", SECRET);
const TOOL = { name: "t", inputSchema: { type: "object" } };
const START_MS = 2000;
const WAIT_MS = 30_000;
const TIMEOUT = { timeout: 60_000 };

describe("a backend that has not answered yet", () => {
  let here: ChangingBackend;
  let late: ChangingBackend;
  let gateway: TestCore;
  let answers: () => void;

  before(async () => {
    here = await startChangingBackend([TOOL]);
    late = await startChangingBackend([TOOL]);
    late.prompts = [{ name: "p" }];
  });
  after(async () => {
    await here.close();
    await late.close();
  });
  beforeEach(() => {
    const { promise, resolve } = Promise.withResolvers<void>();
    late.handshake = promise;
    answers = resolve;
  });
  afterEach(async () => {
    answers();
    await gateway.stop();
  });

  const stateOf = (wanted: string) =>
    gateway.core.snapshot().backends.find(({ name }) => name === wanted)?.state;

  /** Two seconds after the start, `here` is ready and `late` is not. */
  async function start(
    more: Partial<ConfigInput> = {},
    interceptors: readonly Interceptor[] = [],
  ): Promise<void> {
    const clock = new FakeClock();
    const backends = { here: { url: here.url }, late: { url: late.url, alias: "later" } };
    gateway = await startCore({ backends, ...more }, { clock, interceptors });
    await until(() => assert.equal(stateOf("here"), "ready"), WAIT_MS);
    await clock.advance(START_MS);
    assert.equal(stateOf("late"), "starting");
  }

  async function lateAnswers(): Promise<void> {
    answers();
    await until(() => assert.equal(stateOf("late"), "ready"), WAIT_MS);
  }

  const open = (headers: Record<string, string> = {}) =>
    HttpSession.open(gateway.core.fetch, { headers });

  it("is worth another try, and is called as soon as it has answered", TIMEOUT, async () => {
    await start();
    const session = await open();
    const prompt = await session.request("prompts/get", { name: "later__p" });
    for (const { error } of [await session.call("later__t"), prompt]) {
      assert.equal(error.code, -31024);
      const { request: _, ...data } = error.data;
      assert.deepEqual(data, {
        code: "NO_BACKEND_READY",
        backend: "late",
        reason: "starting",
        executed: "no",
        retryAfterMs: 1000,
      });
    }
    await lateAnswers();
    assert.equal((await session.call("later__t"))["result"].content[0].text, "done");
  });

  it("makes nothing else of the names of others", TIMEOUT, async () => {
    await start();
    const session = await open();
    for (const name of ["here__none", "late__t", "later_t", "none__t", ""]) {
      assert.equal((await session.call(name))["error"].code, -32602, name);
    }
    assert.equal((await session.call("here__t"))["error"], undefined);
  });

  it(
    "is not named where names have no prefix: any of them may have the tool",
    TIMEOUT,
    async () => {
      await start({ catalog: { prefix: "never" } });
      const { error } = await (await open()).call("anything");
      assert.equal(error.data.code, "NO_BACKEND_READY");
      assert.equal(error.data.backend, undefined);
    },
  );

  it("is as unknown as ever to a role that does not see such names", TIMEOUT, async () => {
    await start({
      auth: { mode: "jwt", jwt: [{ issuer: "dev", audience: AUDIENCE, secret: SECRET }] },
      roles: { default: { tools: ["here__*"] } },
    });
    // The clock of the gateway stands still, and so does the token's.
    const now = new FakeClock().now();
    const token = await tokenOf(KEY, { issuer: "dev", now, claims: { sub: "anna" } });
    await assertUnknown(await open({ authorization: `Bearer ${token}` }));
  });

  it("is as unknown as ever where an interceptor hides such names", TIMEOUT, async () => {
    const hides: Interceptor = {
      name: "hides",
      list: ({ items }) => ({ keep: items.filter(({ name }) => !name.startsWith("later__")) }),
    };
    await start({}, [hides]);
    await assertUnknown(await open());
  });

  /** The same bytes before and after it has answered, but for the id of the request. */
  async function assertUnknown(session: HttpSession): Promise<void> {
    const told = async () => {
      const answer: Rpc = await session.call("later__t");
      delete answer["error"].data.request;
      return JSON.stringify({ ...answer, id: 0 });
    };
    const before = await told();
    assert.match(before, /-32602.*Unknown tool: later__t/);
    await lateAnswers();
    assert.equal(await told(), before);
  }
});
