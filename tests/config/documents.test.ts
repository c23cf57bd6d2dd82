import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keysOf } from "../../src/contract/config/tree.ts";
import {
  CONFIG_TREE,
  configReference,
  configTemplate,
  explainAll,
  explainKey,
  jsonSchema,
  MASK,
  resolvedView,
  suggestKey,
  tomlDocument,
} from "../../src/config/mod.ts";
import { parse } from "./parsing.ts";

type Schema = ReturnType<typeof jsonSchema>;

const keys = [...keysOf(CONFIG_TREE)];

/** A template with the examples of some sections taken out of their comments. */
function uncommented(template: string, wanted: RegExp): string {
  let isWanted = false;
  return template.split("\n").map((line) => {
    const bare = line.replace(/^# /, "");
    if (bare.startsWith("[")) isWanted = wanted.test(bare);
    const isExample = /^(\[|(command|args|env|url|headers|timeout|deny|tools) = )/.test(bare);
    return isWanted && isExample ? bare : line;
  }).join("\n");
}

describe("configTemplate()", () => {
  it("parses to exactly the built-in defaults", async () => {
    assert.deepEqual((await parse(configTemplate())).config, (await parse("")).config);
    assert.deepEqual((await parse(configTemplate())).notices, []);
  });

  it("still does with every default uncommented", async () => {
    const lines = configTemplate().split("\n").filter((line) => !line.includes("# no default"));
    const [before = "", after = ""] = lines.join("\n").split(/# ─+\n# The MCP servers[^]*?# ─+\n/);
    const active = `${before}${after}`.replace(/^# (?=[a-z_]+ = )/gm, "");
    assert.ok(active.split("\n").filter((line) => /^[a-z_]+ = /.test(line)).length > 15);
    assert.deepEqual((await parse(active)).config, (await parse("")).config);
  });

  it("has examples of backends that work when uncommented", async () => {
    const text = uncommented(configTemplate(), /^\[(backends|toolsets)\./);
    const { config } = await parse(text, { env: { CONTEXT7_API_KEY: "a", N8N_TOKEN: "b" } });
    assert.deepEqual(Object.keys(config.backends), ["context7", "n8n"]);
    assert.deepEqual(Object.keys(config.toolsets), ["reading"]);
  });
});

describe("resolvedView()", () => {
  it("parses to the same configuration again", async () => {
    const text = '[backends.a]\nurl = "http://127.0.0.1:1/mcp"\ntimeout = "90s"\n' +
      "[backends.a.tools.defaults.search]\nlimit = 3\n" +
      '[limits.tools]\n"gh__*" = { rate = "5/h", burst = 2 }\n[catalog]\nmax_name_length = 60\n';
    const { config, secrets } = await parse(text);
    const document = tomlDocument(resolvedView(config, secrets));
    assert.deepEqual((await parse(document)).config, config);
  });

  it("shows no secret, wherever it was used", async () => {
    const text = '[backends.a]\nurl = "https://a.example.com/${env:PATH_TOKEN}"\n' +
      'headers = { Authorization = "Bearer ${env:A}", X-Team = "${env:TEAM}" }\n' +
      '[[management.tokens]]\nname = "a"\nscope = "read"\nvalue = "${env:A}"\n' +
      'expires = 2027-06-30\n[sessions]\nstore = "redis"\nurl = "redis://:${env:A}@redis"\n';
    const env = { A: "abcdefgh", PATH_TOKEN: "in-the-path", TEAM: "platform" };
    const { config, secrets } = await parse(text, { env });
    const view = tomlDocument(resolvedView(config, secrets));
    assert.doesNotMatch(view, /abcdefgh|in-the-path/);
    assert.match(view, new RegExp(`Authorization = "${MASK}"`));
    assert.match(view, /X-Team = "platform"/);
    assert.match(view, new RegExp(`redis://:${MASK}@redis`));
    assert.match(view, /expires = 2027-06-30T00:00:00/);
  });
});

describe("jsonSchema()", () => {
  const schema = jsonSchema();

  function* objectsIn(node: unknown): Generator<Schema> {
    if (typeof node !== "object" || node === null) return;
    if ("properties" in node) yield node as Schema;
    for (const child of Object.values(node)) yield* objectsIn(child);
  }

  it("is draft 7 and closed: no table takes unknown keys", () => {
    assert.equal(schema.$schema, "http://json-schema.org/draft-07/schema#");
    const objects = [...objectsIn(schema)];
    assert.ok(objects.length > 25, `only ${objects.length}`);
    for (const object of objects) assert.equal(object.additionalProperties, false);
  });

  it("describes every key and shows an example of every value", () => {
    const text = JSON.stringify(schema);
    for (const { meta, path } of keys) {
      assert.ok(text.includes(JSON.stringify(meta.about).slice(1, -1)), path.join("."));
    }
    assert.deepEqual(schema.properties?.["server"], {
      ...schema.properties?.["server"] as object,
      description: "Where clients connect.",
    });
  });

  it("has defaults as they are written, and lets references through patterns", () => {
    const server = schema.properties?.["server"] as Schema;
    const size = server.properties?.["max_request_size"] as Schema;
    assert.equal(size.default, "4MiB");
    assert.deepEqual(size.examples, ["8MiB"]);
    const pattern = new RegExp(size.pattern ?? "");
    assert.ok(pattern.test("4MiB") && pattern.test("${env:SIZE}") && !pattern.test("4"));
  });

  it("is plain JSON", () => {
    assert.deepEqual(JSON.parse(JSON.stringify(schema)), schema);
  });
});

describe("explainKey()", () => {
  it("knows every key, with and without the names between", () => {
    for (const { path } of keys) {
      const key = path.join(".");
      assert.equal(explainKey(key)?.key, key);
      assert.equal(explainKey(key.replaceAll(".*", ""))?.key, key);
    }
  });

  it("finds a key under a real name and position", () => {
    assert.equal(explainKey("backends.github.timeout")?.key, "backends.*.timeout");
    assert.equal(explainKey("auth.jwt.0.issuer")?.key, "auth.jwt.*.issuer");
    assert.equal(explainKey('limits.tools."gh__*".rate')?.key, "limits.tools.*.rate");
  });

  it("tells default, type, variable, effect and secrecy", () => {
    const listen = explainKey("server.listen");
    assert.equal(listen?.default, '"127.0.0.1:8808"');
    assert.equal(listen?.variable, "SENTINEL_SERVER_LISTEN");
    assert.equal(listen?.reload, "restart");
    assert.equal(listen?.effect, true);
    assert.equal(explainKey("auth.jwt.secret")?.secret, true);
    assert.equal(explainKey("backends.pool.idle_timeout")?.effect, false);
    assert.equal(
      explainKey("telemetry.log.level")?.type,
      'one of "debug", "info", "warn", "error"',
    );
  });

  it("lists the keys of a table", () => {
    assert.deepEqual(explainKey("sessions.resume")?.keys.map(({ key }) => key), ["events", "keep"]);
  });

  it("is undefined for an unknown key, and the near one is suggested", () => {
    assert.equal(explainKey("server.listne"), undefined);
    assert.equal(suggestKey("server.listne"), "server.listen");
    assert.equal(suggestKey("timeout"), "backends.*.timeout");
    assert.equal(suggestKey("xyzzy"), undefined);
  });
});

describe("environment variables", () => {
  it("are unique, so that each sets one key", () => {
    const variables = explainAll().flatMap(({ variable }) => variable ?? []);
    assert.equal(new Set(variables).size, variables.length);
    assert.ok(variables.length > 50);
  });
});

describe("configReference()", () => {
  it("has a row for every key", () => {
    const page = configReference();
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    const sections = [...CONFIG_TREE.children.values()].filter((node) => node.children.size > 0);
    assert.equal(rows.length, keys.length - sections.length);
    for (const row of rows) assert.equal(row.replaceAll("\\|", "").split("|").length, 7, row);
  });
});
