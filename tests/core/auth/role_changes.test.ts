import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { startCore, type TestCore } from "../../support/core.ts";
import type { Rpc } from "../../support/http_session.ts";
import { type RecordingBackend, startRecordingBackend } from "../../support/recording_backend.ts";
import { type Client, FRONTS, openClient, SIGN_IN, tokenFor } from "./clients.ts";

const ACT = { actor: { name: "oncall", scope: "admin" } } as const;
const LIMIT = { timeout: 20_000 };
const ROLES = {
  alpha: { tools: ["a__*"], resources: ["a://*"] },
  beta: { tools: ["b__*"], resources: ["b://*"] },
};

describe("roles of an open session", () => {
  let backends: readonly RecordingBackend[] = [];
  let gateway: TestCore;
  afterEach(async () => {
    await gateway.stop();
    for (const backend of backends) await backend.close();
  });

  const configOf = (roles: unknown) => ({
    backends: { a: { url: backends[0]?.url }, b: { url: backends[1]?.url } },
    auth: SIGN_IN,
    roles: roles as typeof ROLES,
  });

  async function start(): Promise<void> {
    backends = [await startRecordingBackend("a"), await startRecordingBackend("b")];
    gateway = await startCore(configOf(ROLES));
  }

  async function reload(roles: unknown): Promise<void> {
    gateway.source.write(configOf(roles));
    assert.equal((await gateway.core.control.reload(ACT)).outcome, "applied");
  }

  async function open(role: string, front: (typeof FRONTS)[number] = "pipe"): Promise<Client> {
    return await openClient(gateway.core, front, await tokenFor(`holder of ${role}`, [role]));
  }

  async function tools(client: Client): Promise<string[]> {
    const { result } = await client.request("tools/list");
    return (result.tools as Rpc[]).map(({ name }) => name as string);
  }

  function methods(client: Client): unknown[] {
    return client.notified.map(({ method }) => method);
  }

  /** Notifications have no answer to wait for: one round trip later they have come. */
  async function arrived(client: Client): Promise<void> {
    await client.request("ping");
    await setImmediate();
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await setImmediate();
  }

  it("follow a reload at once; only those whose lists changed are told which", LIMIT, async () => {
    await start();
    for (const front of FRONTS) {
      const [alpha, beta] = [await open("alpha", front), await open("beta", front)];
      await reload({ ...ROLES, alpha: { tools: ["a__open"], resources: ["a://*"] } });
      await until(() => alpha.notified.length > 0);
      await arrived(beta);
      assert.deepEqual(methods(alpha), ["notifications/tools/list_changed"], front);
      assert.deepEqual(methods(beta), [], front);
      assert.deepEqual(await tools(alpha), ["a__open"]);
      const { error } = await alpha.request("tools/call", { name: "a__work" });
      assert.deepEqual([error.code, error.message], [-32602, "Unknown tool: a__work"]);
      await reload(ROLES);
      for (const client of [alpha, beta]) await client.close();
    }
  });

  it("that show nothing any more end it; the next one sees empty lists", LIMIT, async () => {
    await start();
    const [alpha, beta] = [await open("alpha", "streamable"), await open("beta", "streamable")];
    await reload({ beta: ROLES.beta });
    await assert.rejects(tools(alpha));
    assert.deepEqual(await tools(beta), ["b__open", "b__work", "b__danger"]);
    const next = await open("alpha", "streamable");
    assert.deepEqual(await tools(next), []);
    assert.ok((await next.request("tools/call", { name: "a__open" }))["error"]);
    await reload(ROLES);
    assert.deepEqual(await tools(next), ["a__open", "a__work", "a__danger"]);
    for (const client of [next, beta]) await client.close();
  });

  it("are those of the newest token", LIMIT, async () => {
    await start();
    for (const front of ["streamable", "sse"] as const) {
      const client = await openClient(gateway.core, front, await tokenFor("one", ["alpha"]));
      client.renew(await tokenFor("one", ["beta"]));
      assert.deepEqual(await tools(client), ["b__open", "b__work", "b__danger"]);
      await until(() => methods(client).includes("notifications/tools/list_changed"));
      client.renew(await tokenFor("another", ["alpha"]));
      await assert.rejects(tools(client));
      await client.close();
    }
  });

  it("decide which backends' messages it gets", LIMIT, async () => {
    await start();
    const [alpha, beta] = [await open("alpha"), await open("beta")];
    await backends[0]?.notify("notifications/message", { level: "error", data: "from a" });
    await until(() => alpha.notified.length > 0);
    await arrived(beta);
    assert.deepEqual(methods(alpha), ["notifications/message"]);
    assert.deepEqual(methods(beta), []);
    for (const client of [alpha, beta]) await client.close();
  });

  it("end the news of a resource it may not read any more", LIMIT, async () => {
    await start();
    const uri = "a://doc";
    const [alpha, other] = [await open("alpha"), await open("other")];
    assert.ok((await other.request("resources/subscribe", { uri }))["error"]);
    assert.deepEqual((await alpha.request("resources/subscribe", { uri }))["result"], {});
    await reload({ ...ROLES, alpha: { tools: ["a__*"] }, other: ROLES.alpha });
    assert.deepEqual((await other.request("resources/subscribe", { uri }))["result"], {});
    await backends[0]?.notify("notifications/resources/updated", { uri });
    await until(() => methods(other).includes("notifications/resources/updated"));
    await arrived(alpha);
    assert.equal(methods(alpha).includes("notifications/resources/updated"), false);
    for (const client of [alpha, other]) await client.close();
  });
});
