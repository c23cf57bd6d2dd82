import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Config } from "../../src/contract/config.ts";
import { ANY, type KeyNode, keysOf } from "../../src/contract/config/tree.ts";
import {
  compareConfigs,
  CONFIG_TREE,
  ConfigError,
  configHash,
  MASK,
  resolvedView,
  segmentsOf,
} from "../../src/config/mod.ts";
import { variantsOf } from "./key_values.ts";
import { parse } from "./parsing.ts";

const ENV = {
  OLD_TOKEN: "old-token-0123456789abcdef0123456789",
  NEW_TOKEN: "new-token-0123456789abcdef0123456789",
};

/** Compares two texts as they would stand in the file. */
async function compare(before: string, after: string) {
  const one = await parse(before, { env: ENV });
  const other = await parse(after, { env: ENV });
  return compareConfigs(one.config, other.config, [...one.secrets, ...other.secrets]);
}

async function changesOf(before: string, after: string) {
  return (await compare(before, after)).changes;
}

/** Paths with what happens to them: `~` changed, `+` added, `-` removed. */
async function marksOf(before: string, after: string): Promise<string[]> {
  const marks = { added: "+", removed: "-", changed: "~" };
  const changes = await changesOf(before, after);
  return changes.map(({ change, path, effect }) => `${marks[change]} ${path} ${effect}`);
}

function token(name: string, variable: string): string {
  return `[[management.tokens]]\nname = "${name}"\nscope = "read"\nvalue = "\${env:${variable}}"\n`;
}

function rule(name: string, action = "warn"): string {
  return `[[rules]]\nname = "${name}"\nwhen = "true"\naction = "${action}"\n`;
}

/** Whether a path of a change leads to this key, or to one entry of it. */
function leadsTo(path: string, { path: key }: KeyNode): boolean {
  const segments = segmentsOf(path);
  return key.every((segment, index) => segment === ANY || segment === segments[index]);
}

/** The key by which entries of a list are told apart. */
function isName({ path }: KeyNode): boolean {
  return /^(auth\.jwt\.\*\.issuer|rules\.\*\.name|management\.tokens\.\*\.name)$/
    .test(path.join("."));
}

describe("compareConfigs()", () => {
  const keys = [...keysOf(CONFIG_TREE)];
  const changeable = keys.flatMap((node) => {
    const folder = node.kind === "table" && node.default !== undefined;
    const variants = folder ? undefined : variantsOf(node);
    return variants === undefined ? [] : [{ node, variants }];
  });

  it("finds nothing between equal configurations, whatever is in them", () => {
    for (const { variants } of changeable) {
      for (const config of variants) {
        const { changes, effective } = compareConfigs(config, structuredClone(config), []);
        assert.deepEqual(changes, []);
        assert.deepEqual(effective, config);
      }
    }
  });

  it("knows almost every key of the table by two values", () => {
    const values = keys.filter(({ kind }) => kind !== "table");
    assert.ok(changeable.length > values.length - 6, `${changeable.length} of ${values.length}`);
  });

  for (const { node, variants: [one, other] } of changeable) {
    const key = node.path.join(".");
    it(`sees ${key} alone, with its own class, in both directions`, () => {
      for (const [before, after] of [[one, other], [other, one]] as const) {
        const { changes, effective } = compareConfigs(before, after, []);
        assert.equal(changes.length, isName(node) ? 2 : 1, JSON.stringify(changes));
        for (const change of changes) {
          assert.ok(isName(node) || leadsTo(change.path, node), change.path);
          assert.equal(change.effect, node.meta.reload);
        }
        assert.deepEqual(effective, node.meta.reload === "restart" ? before : after);
      }
    });
  }

  it("writes values as the file does, keys in the order of the schema", async () => {
    const after = '[telemetry.log]\nlevel = "warn"\n[server]\nrequest_timeout = "90s"\n' +
      'max_request_size = "8MiB"\nlisten = "127.0.0.1:9000"\nallowed_origins = ["https://a.b"]\n';
    assert.deepEqual(await changesOf("", after), [
      {
        path: "server.listen",
        change: "changed",
        before: '"127.0.0.1:8808"',
        after: '"127.0.0.1:9000"',
        effect: "restart",
      },
      {
        path: "server.allowed_origins",
        change: "changed",
        before: "[]",
        after: '["https://a.b"]',
        effect: "live",
      },
      {
        path: "server.max_request_size",
        change: "changed",
        before: '"4MiB"',
        after: '"8MiB"',
        effect: "live",
      },
      {
        path: "server.request_timeout",
        change: "changed",
        before: '"1m"',
        after: '"90s"',
        effect: "live",
      },
      {
        path: "telemetry.log.level",
        change: "changed",
        before: '"info"',
        after: '"warn"',
        effect: "live",
      },
    ]);
  });

  it("has one change for a backend, toolset or token that comes or goes, and it is live", async () => {
    const full = '[backends.a]\ncommand = "npx"\nargs = ["-y", "a@1"]\n' +
      `[toolsets.t]\ntools = ["a__*"]\n${token("t", "OLD_TOKEN")}`;
    const added = await changesOf("", full);
    assert.deepEqual(added, [
      {
        path: "backends.a",
        change: "added",
        after: '{ command = "npx", args = ["-y", "a@1"] }',
        effect: "live",
      },
      { path: "toolsets.t", change: "added", after: '{ tools = ["a__*"] }', effect: "live" },
      {
        path: "management.tokens.t",
        change: "added",
        after: `{ name = "t", scope = "read", value = "${MASK}" }`,
        effect: "live",
      },
    ]);
    const removed = await changesOf(full, "");
    assert.deepEqual(
      removed.map(({ path, change, before, effect }) => ({ path, change, after: before, effect })),
      added.map((change) => ({ ...change, change: "removed" })),
    );
  });

  it("takes a renamed backend for one that goes and one that comes", async () => {
    const named = (name: string) => `[backends.${name}]\nurl = "http://127.0.0.1:1/mcp"\n`;
    assert.deepEqual(await marksOf(named("a"), named("b")), [
      "- backends.a live",
      "+ backends.b live",
    ]);
  });

  it("tells what a changed backend takes", async () => {
    const before = '[backends.a]\nurl = "http://127.0.0.1:1/mcp"\n';
    const after = '[backends.a]\nurl = "http://127.0.0.1:2/mcp"\ntimeout = "1s"\nalias = "b"\n' +
      "[backends.a.tools.defaults.search]\nlimit = 3\n";
    assert.deepEqual(await marksOf(before, after), [
      "~ backends.a.url reconnect",
      "+ backends.a.alias live",
      "+ backends.a.timeout live",
      "+ backends.a.tools.defaults.search live",
    ]);
    assert.deepEqual(await marksOf(before, '[backends.a]\ncommand = "npx"\n'), [
      "- backends.a.url reconnect",
      "+ backends.a.command reconnect",
    ]);
  });

  it("sees a changed secret and shows neither", async () => {
    const config = (variable: string) =>
      '[backends.a]\nurl = "https://a.example.com/mcp"\n' +
      `headers = { Authorization = "Bearer \${env:${variable}}" }\n` + token("t", variable);
    const changes = await changesOf(config("OLD_TOKEN"), config("NEW_TOKEN"));
    assert.deepEqual(changes.map(({ path }) => path), [
      "backends.a.headers.Authorization",
      "management.tokens.t.value",
    ]);
    assert.doesNotMatch(JSON.stringify(changes), /old-token|new-token/);
    for (const { before, after } of changes) assert.deepEqual([before, after], [after, before]);
  });

  it("sees a rotated token come and the old one go, without touching the one that stays", async () => {
    const old = token("oncall", "OLD_TOKEN");
    const both = old + token("oncall", "NEW_TOKEN");
    assert.deepEqual(await marksOf(old, both), ["+ management.tokens.oncall live"]);
    assert.deepEqual(await marksOf(both, token("oncall", "NEW_TOKEN")), [
      "- management.tokens.oncall live",
    ]);
  });

  it("knows entries by name, and says when only their order has changed", async () => {
    const before = rule("a") + rule("b") + rule("c");
    assert.deepEqual(await marksOf(before, rule("a") + rule("b", "deny") + rule("c")), [
      "~ rules.b.action live",
    ]);
    assert.deepEqual(await marksOf(before, rule("a") + rule("c")), ["- rules.b live"]);
    assert.deepEqual(await changesOf(before, rule("c") + rule("a") + rule("b")), [{
      path: "rules",
      change: "changed",
      before: '["a", "b", "c"]',
      after: '["c", "a", "b"]',
      effect: "live",
    }]);
  });

  it("cuts what is too long to read", async () => {
    const long = `[server]\ninstructions = "${"x".repeat(50_000)}"\n`;
    const [change] = await changesOf("", long);
    assert.equal(change?.after?.length, 1001);
  });

  it("keeps a listener and its certificate together until the next start", async () => {
    const before = "[management]\nallow_remote = false\n";
    const after = '[management]\nallow_shutdown = true\nlisten = "127.0.0.1:9000"\n' +
      '[management.tls]\ncert = "/a.crt"\nkey = "/a.key"\n';
    const { changes, effective } = await compare(before, after);
    assert.deepEqual(changes.map(({ path, effect }) => `${path} ${effect}`), [
      "management.listen restart",
      "management.allow_shutdown live",
      "management.tls restart",
    ]);
    assert.equal(effective.management.listen, "127.0.0.1:8809");
    assert.equal(effective.management.tls, undefined);
    assert.equal(effective.management.allow_shutdown, true);
  });

  it("refuses weak tokens for a listener that stays open to others", async () => {
    const remote = '[management]\nlisten = "0.0.0.0:8809"\nallow_remote = true\n' +
      `[management.tls]\ncert = "/a.crt"\nkey = "/a.key"\n${token("t", "OLD_TOKEN")}`;
    const local = "[management]\nallow_shutdown = true\n";
    await assert.rejects(compare(remote, local), (thrown) => {
      assert.ok(thrown instanceof ConfigError);
      assert.deepEqual(thrown.issues.map(({ code, path }) => [code, path]), [
        ["unsafe", "management.listen"],
      ]);
      assert.match(thrown.issues[0]?.message ?? "", /until the next start$/);
      return true;
    });
    const { effective } = await compare(remote, local + token("t", "NEW_TOKEN"));
    assert.equal(effective.management.listen, "0.0.0.0:8809");
  });

  it("leaves both configurations as they are", async () => {
    const one = (await parse('[backends.a]\ncommand = "a"\n')).config;
    const other = (await parse(rule("a"))).config;
    const copies: readonly Config[] = [structuredClone(one), structuredClone(other)];
    compareConfigs(one, other, []);
    assert.deepEqual([one, other], copies);
  });

  it("is quick with thousands of entries", async () => {
    const many = (tool: string) =>
      Array.from({ length: 2000 }, (_, index) => `[roles.r${index}]\ntools = ["${tool}"]\n`)
        .join("");
    assert.equal((await changesOf(many("a"), many("b"))).length, 2000);
  });
});

describe("configHash()", () => {
  const hash = async (text: string) => {
    const { config, secrets } = await parse(text, { env: ENV });
    return await configHash(config, secrets);
  };

  it("is 12 hex digits, equal for what means the same", async () => {
    const one = await hash('[backends.a]\ncommand = "a"\n[backends.b]\ncommand = "b"\n');
    assert.match(one, /^[0-9a-f]{12}$/);
    assert.equal(
      await hash('[backends.b]\ncommand = "b"\n[backends.a]\nenabled = true\ncommand = "a"\n'),
      one,
    );
  });

  it("changes with every key, but not with a secret", async () => {
    const seen = new Set<string>();
    const variants = [...keysOf(CONFIG_TREE)].filter(({ kind }) => kind !== "table")
      .map((node) => ({ node, pair: variantsOf(node) }));
    for (const { node, pair } of variants) {
      if (pair === undefined || node.secret === "always") continue;
      const [one, other] = await Promise.all(pair.map((config) => configHash(config, [])));
      // Keys of the other kind of backend are not part of what is shown.
      const views = pair.map((config) => JSON.stringify(resolvedView(config, [])));
      assert.equal(one === other, views[0] === views[1], node.path.join("."));
      if (other !== undefined) seen.add(other);
    }
    assert.ok(seen.size > 70, `${seen.size} hashes`);
    assert.equal(await hash(token("t", "OLD_TOKEN")), await hash(token("t", "NEW_TOKEN")));
  });
});
