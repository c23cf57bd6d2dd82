/** What does not compile is proven by the compiler: an unused `@ts-expect-error` is an error. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Followed, ManagementClient, RouteAnswer } from "../../src/client/mod.ts";

/** Compiles only when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
const holds = <Claim extends true>(claim: Claim) => claim;

/** Never called: only its types matter. */
export async function compiles(client: ManagementClient): Promise<void> {
  const backends = await client.request("backends", { query: { filter: "x", limit: 5 } });
  holds<Same<typeof backends, RouteAnswer<"backends">>>(true);
  const state: string = backends.items[0]?.state ?? "";
  const text: string = await client.request("metrics");
  await client.request("status");
  await client.request("status", { timeoutMs: 5, signal: AbortSignal.abort() });
  await client.request("reload", { idempotencyKey: "k" });
  await client.request("reconnect", { params: { name: "a" } });
  await client.request("logLevel", { body: { level: "debug" } });
  const kill = { params: { scope: "tools", name: state + text }, body: { reason: "x" } };
  const killed = await client.request("kill", kill);
  holds<Same<typeof killed.matches, number>>(true);
  for await (const item of client.all("capabilities")) {
    holds<Same<typeof item, RouteAnswer<"capabilities">["items"][number]>>(true);
  }
  for await (const entry of client.follow("eventStream", { from: "oldest", filter: "x" })) {
    holds<Same<typeof entry, Followed<RouteAnswer<"eventStream">>>>(true);
    if (entry.kind === "gap") holds<Same<typeof entry.lost, number | undefined>>(true);
  }
  for await (const entry of client.follow("callStream")) {
    if (entry.kind === "event") holds<Same<typeof entry.data.method, string>>(true);
  }
}

/** Never called: each line is a mistake. */
export async function doesNotCompile(client: ManagementClient): Promise<void> {
  // @ts-expect-error: no such route
  await client.request("backendz");
  // @ts-expect-error: a stream is followed
  await client.request("eventStream");
  // @ts-expect-error: parameters are missing
  await client.request("backend");
  // @ts-expect-error: a parameter of another name
  await client.request("backend", { params: { id: "a" } });
  // @ts-expect-error: one parameter of two
  await client.request("clearKill", { params: { name: "a" } });
  // @ts-expect-error: the route has no parameters
  await client.request("status", { params: { name: "a" } });
  // @ts-expect-error: a query of another name
  await client.request("backends", { query: { state: "fatal" } });
  // @ts-expect-error: the route has no query
  await client.request("status", { query: { filter: "a" } });
  // @ts-expect-error: the body is missing
  await client.request("kill", { params: { scope: "tools", name: "a" } });
  // @ts-expect-error: a body without its reason
  await client.request("kill", { params: { scope: "tools", name: "a" }, body: {} });
  // @ts-expect-error: a level of another name
  await client.request("logLevel", { body: { level: "loud" } });
  // @ts-expect-error: the route has no body
  await client.request("status", { body: {} });
  // @ts-expect-error: reading is no operation
  await client.request("status", { idempotencyKey: "k" });
  // @ts-expect-error: no list
  client.all("status");
  // @ts-expect-error: a query of another name
  client.all("backends", { query: { state: "fatal" } });
  // @ts-expect-error: no stream
  client.follow("status");
  // @ts-expect-error: calls have no cursors
  client.follow("callStream", { from: "oldest" });
  const answer = await client.request("status");
  // @ts-expect-error: no such member
  void answer.mood;
}

describe("types of the client", () => {
  it("are held by the compiler", () => {
    assert.equal(typeof compiles, "function");
    assert.equal(typeof doesNotCompile, "function");
  });
});
