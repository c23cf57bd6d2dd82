import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type ConfigInput, fixtureBackend, startCore, type TestCore } from "../../support/core.ts";
import { HttpSession, type Rpc } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";
import { REPOSITORY } from "../../support/runtime.ts";

type Schema = Record<string, unknown>;

/** A backend with these tools, by name and schema; each echoes its arguments. */
function typed(schemas: Record<string, Schema>, extra: Schema = {}): Schema {
  const tools = Object.entries(schemas).map(([name, inputSchema]) => ({ name, inputSchema }));
  return fixtureBackend({
    args: [join(REPOSITORY, "tests/fixtures/typed_backend.mjs")],
    env: { TOOLS: JSON.stringify(tools) },
    ...extra,
  });
}

const ISSUE: Schema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: {
    owner: { type: "string" },
    page: { type: "integer", minimum: 1, default: 1 },
    labels: { type: "array", items: { type: "string" } },
  },
  required: ["owner"],
  additionalProperties: false,
};

function textOf({ result }: Rpc): string {
  return String(result?.content?.[0]?.text);
}

/** Levels of references, each twice as much work as the one below. */
function bomb(levels: number): Schema {
  const $defs: Schema = { level0: { type: "string" } };
  for (let level = 1; level < levels; level++) {
    const $ref = `#/$defs/level${level - 1}`;
    $defs[`level${level}`] = { allOf: [{ $ref }, { $ref }] };
  }
  return {
    type: "object",
    properties: { x: { $ref: `#/$defs/level${levels - 1}` } },
    $defs,
  };
}

const HOSTILE = {
  pattern: { type: "object", properties: { x: { type: "string", pattern: "(a+)+$" } } },
  unique: { type: "object", properties: { x: { type: "array", uniqueItems: true } } },
  remote: { type: "object", properties: { x: { $ref: "http://127.0.0.1:1/schema.json" } } },
  loop: { type: "object", $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } },
  tree: {
    type: "object",
    properties: { value: { type: "number" }, next: { $ref: "#" } },
    required: ["value"],
  },
  closed: { type: "object", properties: { x: {} }, additionalProperties: false },
  named: { type: "object", required: ["constructor"] },
  bomb: bomb(40),
};

describe("validate", () => {
  let core: TestCore;
  let session: HttpSession;

  before(async () => {
    core = await startCore({
      backends: {
        a: typed({ issue: ISSUE, same: { $id: "urn:same", type: "object" } }),
        b: typed({ same: { $id: "urn:same", type: "object", required: ["x"] } }),
        h: typed(HOSTILE),
        d: typed({ issue: ISSUE }, { tools: { defaults: { issue: { owner: "acme" } } } }),
      },
      catalog: { prefix: "always" },
    });
    session = await HttpSession.open(core.core.fetch);
    await session.request("tools/list");
  });

  after(() => core.stop());

  proves("G9.2", "forwards what fits the schema as it was sent", async () => {
    for (let times = 0; times < 20; times++) {
      const args = { owner: "acme", labels: ["x"] };
      assert.deepEqual(JSON.parse(textOf(await session.call("a__issue", args))), args);
    }
  });

  proves("G9.3", "answers what does not fit, by path, and forwards nothing", async () => {
    for (let times = 0; times < 20; times++) {
      const { result } = await session.call("a__issue", { page: 0, labels: ["x", 3], extra: 1 });
      assert.equal(result.isError, true);
      const [{ text }] = result.content;
      assert.match(text, /"a__issue", nothing was executed/);
      for (const path of ["$: ", "$.page: ", "$.labels[1]: ", "$.extra: "]) {
        assert.ok(text.includes(`- ${path}`), `${path} in ${text}`);
      }
    }
  });

  it("answers older revisions with an error of the protocol", async () => {
    const old = await HttpSession.open(core.core.fetch, { revision: "2025-06-18" });
    const { error } = await old.call("a__issue", {});
    assert.equal(error.code, -32602);
    assert.equal(error.data.code, "ARGUMENTS_REJECTED");
    assert.equal(error.data.executed, "no");
    assert.deepEqual(error.data.problems.map(({ path }: { path: string }) => path), ["$"]);
  });

  it("counts a rejected call as the caller's mistake", async () => {
    await session.call("a__issue", {});
    const [denied] = core.telemetry.read("sentinel_denials_total")
      .filter(({ labels }) =>
        labels["reason"] === "schema" && labels["gen_ai_tool_name"] === "a__issue"
      );
    assert.ok((denied?.value ?? 0) > 0);
    const last = core.log.findLast(({ event }) => event === "call.finished");
    assert.equal(last?.fields["outcome"], "invalid");
    assert.equal(last?.fields["error"], "ARGUMENTS_REJECTED");
  });

  it("fills configured defaults in first, and none of the schema", async () => {
    assert.deepEqual(JSON.parse(textOf(await session.call("d__issue", {}))), { owner: "acme" });
  });

  it("takes only an object for arguments, and none for an empty one", async () => {
    for (const args of ["text", [1], 3]) {
      const { result } = await session.call("a__same", args);
      assert.equal(result.isError, true, JSON.stringify(args));
    }
    const { result } = await session.request("tools/call", { name: "a__same" });
    assert.equal(result.isError, undefined);
  });

  it("keeps schemas of different backends apart, whatever they call themselves", async () => {
    for (let times = 0; times < 20; times++) {
      assert.equal((await session.call("a__same", {}))["result"].isError, undefined);
      assert.equal((await session.call("b__same", {}))["result"].isError, true);
    }
  });

  it("judges wide numbers as numbers and forwards them exactly", async () => {
    const number = "12345678901234567890";
    const body = (value: string) =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"h__tree","arguments":{"value":${value}}}}`;
    const answer = await (await session.post(body(number))).text();
    assert.doesNotMatch(answer, /isError/);
    const wrong = await (await session.post(body(`{"rawJSON":"1"}`))).text();
    assert.match(wrong, /isError/);
  });

  it("leaves a tool callable whose schema cannot be used, and says so once", async () => {
    for (const tool of ["h__remote", "h__loop"]) {
      assert.equal(textOf(await session.call(tool, { x: 1 })), '{"x":1}');
      await session.call(tool, { x: 1 });
    }
    const warnings = core.log.filter(({ event }) => event === "catalog.warning")
      .map(({ fields }) => String(fields["warning"])).filter((text) =>
        text.includes("not checked")
      );
    assert.equal(warnings.length, 2);
    assert.ok(warnings.some((text) => text.includes("another document, which is not fetched")));
  });

  it("is not held up by patterns, long lists and schemas that are bombs", async () => {
    for (let times = 0; times < 10; times++) {
      const x = `${"a".repeat(50_000)}!`;
      assert.equal(JSON.parse(textOf(await session.call("h__pattern", { x }))).x, x);
      const list = Array.from({ length: 20_000 }, (_, at) => ({ at }));
      assert.equal(
        JSON.parse(textOf(await session.call("h__unique", { x: list }))).x.length,
        20_000,
      );
      assert.match(textOf(await session.call("h__bomb", { x: "a" })), /too much work/);
    }
    assert.equal((await session.call("h__unique", { x: [1, 1] }))["result"].isError, true);
  });

  it("follows references within the schema", async () => {
    const deep = (value: unknown) => ({ value: 1, next: { value: 2, next: { value } } });
    assert.equal((await session.call("h__tree", deep(3)))["result"].isError, undefined);
    const wrong = textOf(await session.call("h__tree", deep("3")));
    assert.ok(wrong.includes("- $.next.next.value: "), wrong);
  });

  it("is not confused by names of prototypes", async () => {
    const call = (name: string, text: string) =>
      session.post(
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${text}}}`,
      ).then((response) => response.text());
    for (let times = 0; times < 20; times++) {
      assert.match(await call("h__closed", '{"__proto__":{"x":1}}'), /isError/);
      assert.match(await call("h__named", "{}"), /isError/);
      assert.doesNotMatch(await call("h__named", '{"constructor":1}'), /isError/);
    }
  });

  it("tells at most ten problems and cuts what is long", async () => {
    const labels = Array.from({ length: 30 }, (_, at) => at);
    const text = textOf(
      await session.call("a__issue", { owner: "o", labels, ["k".repeat(900)]: 1 }),
    );
    assert.equal(text.split("\n- $").length - 1, 10);
    assert.match(text, /and 21 more$/);
    assert.ok(text.length < 10 * 520);
  });
});

describe("validate as configured", () => {
  async function answer(catalog: NonNullable<ConfigInput["catalog"]>, revision: string) {
    const core = await startCore({
      backends: { a: typed({ issue: ISSUE }) },
      catalog: { prefix: "never", ...catalog },
    });
    try {
      const session = await HttpSession.open(core.core.fetch, { revision });
      return await session.call("issue", {});
    } finally {
      await core.stop();
    }
  }

  it("answers in the kind that is wanted, or does not look", async () => {
    const protocol = await answer({ validation_error: "protocol" }, "2025-11-25");
    assert.equal(protocol["error"].code, -32602);
    const result = await answer({ validation_error: "result" }, "2025-06-18");
    assert.equal(result["result"].isError, true);
    const unchecked = await answer({ validate_arguments: false }, "2025-11-25");
    assert.equal(textOf(unchecked), "{}");
  });
});
