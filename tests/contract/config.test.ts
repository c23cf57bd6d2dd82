import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { ConfigSchema } from "../../src/contract/config.ts";
import { ANY, keysOf, keyTree } from "../../src/contract/config/tree.ts";
import { parseTomlValue } from "../../src/config/toml.ts";
import { configWith } from "../config/key_values.ts";
import { proves } from "../support/proves.ts";

const root = keyTree(ConfigSchema);
const keys = [...keysOf(root)];

describe("configuration schema", () => {
  it("has the documented defaults where nothing is set", () => {
    const config = v.parse(ConfigSchema, {});
    assert.equal(config.server.listen, "127.0.0.1:8808");
    assert.equal(config.server.path, "/mcp");
    assert.equal(config.server.legacy_sse, true);
    assert.equal(config.server.max_request_size, 4 * 1024 * 1024);
    assert.equal(config.server.request_timeout, 60_000);
    assert.equal(config.server.drain_timeout, 25_000);
    assert.equal(config.catalog.separator, "__");
    assert.equal(config.catalog.max_name_length, 64);
    assert.equal(config.audit.chain, true);
    assert.equal(config.management.listen, "127.0.0.1:8809");
    assert.deepEqual(config.limits.default, { rate: { count: 60, perMs: 60_000 }, burst: 20 });
    assert.deepEqual(config.sessions.resume, { events: 1000, keep: 600_000 });
    assert.deepEqual(config.backends, {});
  });

  it("fills in the defaults of a backend", () => {
    const config = v.parse(ConfigSchema, { backends: { a: { command: "npx" } } });
    const backend = config.backends["a"];
    assert.deepEqual(backend?.inherit_env, ["PATH", "HOME", "LANG"]);
    assert.deepEqual(backend?.restart, { base: 1000, max: 60_000, reset_after: 300_000 });
    assert.deepEqual(backend?.stop, { grace: 5000 });
    assert.equal(backend?.instances, "shared");
    assert.equal(backend?.limits.output_line, 4 * 1024 * 1024);
    assert.deepEqual(backend?.tools.allow, ["*"]);
  });

  proves("G1.3", "takes roles, limits and kill switches as typed values", () => {
    const config = v.parse(ConfigSchema, {
      roles: { developer: { tools: ["gh__*"], deny: ["gh__merge_*"] } },
      limits: { tools: { "gh__*": { rate: "30/min", burst: 10 } }, concurrency: 7 },
      kill: { tools: ["gh__delete_*"], backends: ["github"], reason: "INC-1042" },
    });
    assert.deepEqual(config.roles["developer"]?.deny, ["gh__merge_*"]);
    assert.deepEqual(config.limits.tools["gh__*"], {
      rate: { count: 30, perMs: 60_000 },
      burst: 10,
    });
    assert.deepEqual(config.kill.backends, ["github"]);
  });

  it("is the same for every parse: no default is shared and changed", () => {
    const first = v.parse(ConfigSchema, {});
    first.server.allowed_origins.push("https://a.example.com");
    first.limits.default.burst = 1;
    assert.deepEqual(v.parse(ConfigSchema, {}).limits.default.burst, 20);
  });
});

describe("configuration table", () => {
  it("has all sections", () => {
    assert.deepEqual([...root.children.keys()], [
      "version",
      "server",
      "catalog",
      "backends",
      "toolsets",
      "auth",
      "roles",
      "limits",
      "kill",
      "rules",
      "interceptors",
      "audit",
      "sessions",
      "bridge",
      "management",
      "telemetry",
      "reload",
    ]);
    assert.ok(keys.length > 120, `only ${keys.length} keys`);
  });

  it("describes every key in sentences and gives an example for every value", () => {
    for (const { path, meta, kind, children } of keys) {
      const name = path.join(".");
      assert.match(meta.about, /[.!]$/, name);
      assert.match(meta.reload, /^(live|reconnect|restart)$/, name);
      const isValue = kind !== "table" && kind !== "map" && !children.get(ANY)?.children.size;
      if (isValue) assert.notEqual(meta.example, undefined, `${name} has no example`);
    }
  });

  for (const node of keys) {
    const { path, meta } = node;
    const { example } = meta;
    if (example === undefined) continue;
    it(`accepts the example of ${path.join(".")}`, () => {
      // What a reference to a URL stands for.
      const text = example.replace(/\$\{env:\w+_URL\}/, "redis://redis:6379");
      const result = v.safeParse(ConfigSchema, configWith(node, parseTomlValue(text)));
      assert.deepEqual(result.issues?.map((issue) => issue.message) ?? [], []);
    });
  }

  it("describes every place below a map or list without a key of its own", () => {
    for (const node of keys) {
      if (node.kind === "map" || node.kind === "list") {
        assert.notEqual(node.children.get(ANY), undefined, node.path.join("."));
      }
    }
  });
});
