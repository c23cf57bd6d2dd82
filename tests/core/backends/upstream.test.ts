import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Era } from "../../../src/contract/mod.ts";
import { SentinelError } from "../../../src/contract/mod.ts";
import type { Link, LinkReply } from "../../../src/core/backends/link.ts";
import { Upstream } from "../../../src/core/backends/upstream.ts";
import { ANONYMOUS } from "../../../src/core/auth/principal.ts";
import type { Subscriber } from "../../../src/core/session/subscriber.ts";
import { settle } from "../../support/fake_clock.ts";

const DONE: LinkReply = { result: "{}" };

interface Said {
  /** Method and URI; of a watch all its URIs. */
  readonly what: string;
  answer(reply: LinkReply): void;
  fail(error: SentinelError): void;
}

/** A link whose backend answers when the test says so. */
class ScriptedLink implements Link {
  readonly era: Era;
  readonly revision = "";
  readonly capabilities = { logging: {}, resources: { subscribe: true } };
  readonly instructions = undefined;
  readonly inFlight = 0;
  readonly received = 0;
  open = true;
  readonly said: Said[] = [];

  constructor(era: Era) {
    this.era = era;
  }

  get lines(): string[] {
    return this.said.map(({ what }) => what);
  }

  request({ method, params }: { method: string; params: object }): ReturnType<Link["request"]> {
    const reply = this.#say([method, ...Object.values(params) as string[]].join(" "));
    return { reply, tookMs: 0, cancel: () => {} };
  }

  watch(uris: readonly string[]): Promise<LinkReply> {
    return this.#say(["watch", ...uris].join(" "));
  }

  notify(): void {}

  close(): Promise<void> {
    this.open = false;
    return Promise.resolve();
  }

  /** Answers everything that was said so far and is still open. */
  async answerAll(): Promise<void> {
    for (const { answer } of this.said) answer(DONE);
    await settle();
  }

  #say(what: string): Promise<LinkReply> {
    const { promise, resolve, reject } = Promise.withResolvers<LinkReply>();
    this.said.push({ what, answer: resolve, fail: reject });
    return promise;
  }
}

function somebody(): Subscriber {
  return { principal: ANONYMOUS, toolset: undefined, tell: () => {} };
}

function setUp(era: Era, level?: string) {
  return { upstream: new Upstream(() => level), link: new ScriptedLink(era) };
}

describe("an upstream of a legacy backend", () => {
  it("asks for each resource once, and ends it with its last subscriber", async () => {
    const { upstream, link } = setUp("legacy");
    const [one, two] = [somebody(), somebody()];
    const both = [upstream.subscribe("a", one, link), upstream.subscribe("a", two, link)];
    assert.deepEqual(link.lines, ["resources/subscribe a"]);
    await link.answerAll();
    assert.deepEqual(await Promise.all(both), [DONE, DONE]);
    assert.deepEqual([...upstream.subscribers("a")], [one, two]);
    await upstream.unsubscribe("a", one, link);
    assert.equal(link.lines.length, 1);
    upstream.release(two, link);
    await settle();
    assert.deepEqual(link.lines, ["resources/subscribe a", "resources/unsubscribe a"]);
  });

  it("says the next of a resource only when the last is answered", async () => {
    const { upstream, link } = setUp("legacy");
    const [one, two] = [somebody(), somebody()];
    void upstream.subscribe("a", one, link);
    void upstream.unsubscribe("a", one, link);
    void upstream.subscribe("a", two, link);
    void upstream.subscribe("b", two, link);
    await settle();
    assert.deepEqual(link.lines, ["resources/subscribe a", "resources/subscribe b"]);
    await link.answerAll();
    assert.equal(link.lines.at(-1), "resources/unsubscribe a");
    await link.answerAll();
    assert.equal(link.lines.at(-1), "resources/subscribe a");
    assert.deepEqual([...upstream.subscribers("a")], [two]);
    await link.answerAll();
    assert.equal(link.lines.length, 4);
  });

  it("has a bounded number of requests open", async () => {
    const { upstream, link } = setUp("legacy");
    const all = Array.from(
      { length: 40 },
      (_, at) => upstream.subscribe(`${at}`, somebody(), link),
    );
    await settle();
    const atOnce = link.lines.length;
    assert.ok(atOnce > 1 && atOnce < 40);
    link.said[0]?.answer(DONE);
    await settle();
    assert.equal(link.lines.length, atOnce + 1);
    while (link.lines.length < 40) await link.answerAll();
    await link.answerAll();
    assert.equal((await Promise.all(all)).length, 40);
  });

  it("forgets what was refused or failed, so that the next one asks again", async () => {
    const { upstream, link } = setUp("legacy");
    const error = { code: -32602, message: "no" };
    const refused = upstream.subscribe("a", somebody(), link);
    link.said[0]?.answer({ error });
    assert.deepEqual(await refused, { error });
    const failed = upstream.subscribe("a", somebody(), link);
    await settle();
    link.said[1]?.fail(new SentinelError("BACKEND_LOST", "lost"));
    await assert.rejects(failed, { code: "BACKEND_LOST" });
    assert.deepEqual([...upstream.subscribers("a")], []);
    void upstream.subscribe("a", somebody(), link);
    await settle();
    assert.equal(link.lines.length, 3);
  });

  it("tells a new link all that stands, also what came without a link", async () => {
    const { upstream, link } = setUp("legacy", "info");
    assert.deepEqual(await upstream.subscribe("a", somebody(), undefined), DONE);
    assert.deepEqual(await upstream.subscribe("b", somebody(), undefined), DONE);
    const replayed = upstream.replay(link);
    // It is not in use yet, but it will be.
    const late = upstream.subscribe("c", somebody(), undefined);
    await settle();
    assert.deepEqual(link.lines, [
      "logging/setLevel info",
      "resources/subscribe a",
      "resources/subscribe b",
      "resources/subscribe c",
    ]);
    await link.answerAll();
    await replayed;
    assert.deepEqual(await late, DONE);
  });

  it("keeps what a link was lost with for the next one", async () => {
    const { upstream, link } = setUp("legacy");
    const first = somebody();
    await upstream.subscribe("a", first, undefined);
    const replayed = upstream.replay(link);
    await link.close();
    link.said[0]?.fail(new SentinelError("BACKEND_LOST", "lost"));
    await assert.rejects(replayed, { code: "BACKEND_LOST" });
    assert.deepEqual(await upstream.subscribe("a", somebody(), undefined), DONE);
    const next = new ScriptedLink("legacy");
    void upstream.replay(next);
    assert.deepEqual(next.lines, ["resources/subscribe a"]);
    assert.equal([...upstream.subscribers("a")].length, 2);
  });

  it("tells the link in use and the one that will take its place", async () => {
    const { upstream, link } = setUp("legacy");
    const coming = new ScriptedLink("legacy");
    await upstream.replay(link);
    await upstream.replay(coming);
    void upstream.subscribe("a", somebody(), link);
    await link.answerAll();
    await coming.answerAll();
    for (const { lines } of [link, coming]) assert.deepEqual(lines, ["resources/subscribe a"]);
  });
});

describe("an upstream of a modern backend", () => {
  it("watches all resources with one request for what changes in a turn", async () => {
    const { upstream, link } = setUp("modern", "debug");
    const [one, two] = [somebody(), somebody()];
    const all = ["a", "b", "c"].map((uri) => upstream.subscribe(uri, one, link));
    void upstream.subscribe("a", two, link);
    await settle();
    assert.deepEqual(link.lines, ["watch a b c"]);
    // What changes meanwhile waits for the answer, and comes at once.
    void upstream.unsubscribe("b", one, link);
    void upstream.subscribe("d", two, link);
    await settle();
    assert.equal(link.lines.length, 1);
    await link.answerAll();
    assert.deepEqual(await Promise.all(all), [DONE, DONE, DONE]);
    assert.deepEqual(link.lines, ["watch a b c", "watch a c d"]);
    await link.answerAll();
    upstream.release(one, link);
    await settle();
    assert.equal(link.lines.at(-1), "watch a d");
    await link.answerAll();
    upstream.release(two, link);
    await settle();
    assert.equal(link.lines.at(-1), "watch");
  });

  it("is asked for no log level and for nothing else of the legacy era", async () => {
    const { upstream, link } = setUp("modern", "debug");
    upstream.applyLogLevel(link);
    await upstream.replay(link);
    assert.deepEqual(link.lines, []);
  });

  it("hands on a refusal and keeps what it watched before", async () => {
    const { upstream, link } = setUp("modern");
    void upstream.subscribe("a", somebody(), link);
    await settle();
    await link.answerAll();
    const refused = upstream.subscribe("b", somebody(), link);
    await settle();
    link.said[1]?.answer({ error: { code: -32603, message: "too many" } });
    assert.deepEqual(await refused, { error: { code: -32603, message: "too many" } });
    assert.equal([...upstream.subscribers("a")].length, 1);
    assert.equal([...upstream.subscribers("b")].length, 0);
  });

  it("refuses what the backend did not agree to", async () => {
    const { upstream, link } = setUp("modern");
    const [one, two] = [somebody(), somebody()];
    const asked = ["a", "b"].map((uri) => upstream.subscribe(uri, one, link));
    await settle();
    link.said[0]?.answer({ result: '{"resourceSubscriptions":["b"]}' });
    const [a, b] = await Promise.all(asked);
    assert.ok(a !== undefined && "error" in a);
    assert.deepEqual(b, DONE);
    void upstream.subscribe("c", two, link);
    await settle();
    assert.equal(link.lines.at(-1), "watch b c");
  });

  it("watches everything again on a new link", async () => {
    const { upstream, link } = setUp("modern");
    void upstream.subscribe("a", somebody(), link);
    void upstream.subscribe("b", somebody(), link);
    await settle();
    await link.answerAll();
    await link.close();
    const next = new ScriptedLink("modern");
    const replayed = upstream.replay(next);
    await settle();
    assert.deepEqual(next.lines, ["watch a b"]);
    await next.answerAll();
    await replayed;
  });
});
