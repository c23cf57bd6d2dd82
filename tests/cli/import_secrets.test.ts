import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseEnv } from "node:util";
import { parseConfig } from "../../src/config/parse.ts";
import { asPerson, type Person } from "./import_setup.ts";

const servers = (mcpServers: object) => JSON.stringify({ mcpServers });

/** Every place a credential may stand in; each value is one that must not be seen. */
const SECRETS = {
  env: "literal-env-value",
  flag: "literal-flag-value",
  joinedFlag: "literal-joined-value",
  bearer: "literal-bearer-value",
  header: "literal-header-value",
  argHeader: "literal-arg-header",
  query: "literal-query-value",
  password: "literal-password",
  path: "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
  json: "literal-json-value",
  shell: "literal-shell-value",
  docker: "literal-docker-value",
  known: "ghp_ABCDEF0123456789abcdefABCDEF01234567",
  jwt: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLXZhbHVl",
  fallback: "literal-fallback-value",
  mixed: "literal-rest-beside-a-variable",
  dsn: "literal-dsn-password",
  quoted: "it's `quoted` # and spaced",
};

const ENTRIES = {
  process: {
    command: "npx",
    args: [
      "server",
      "--api-key",
      SECRETS.flag,
      `--token=${SECRETS.joinedFlag}`,
      "--header",
      `Authorization: Bearer ${SECRETS.argHeader}`,
      "-e",
      `SERVICE_PASSWORD=${SECRETS.docker}`,
      "--config",
      `{"apiKey":"${SECRETS.json}","mode":"fast"}`,
      SECRETS.known,
      `postgres://app:${SECRETS.dsn}@db.example/app`,
    ],
    env: {
      MY_API_KEY: SECRETS.env,
      PLAIN: SECRETS.jwt,
      DB_TOKEN: `\${PREFIX}${SECRETS.mixed}`,
      A_SECRET: SECRETS.quoted,
    },
  },
  shell: { command: "sh", args: ["-c", `export OTHER_TOKEN='${SECRETS.shell}'; exec server`] },
  remote: {
    url:
      `https://user:${SECRETS.password}@mcp.example.com/s/${SECRETS.path}/mcp?access_token=${SECRETS.query}`,
    headers: {
      "X-Api-Key": SECRETS.header,
      "X-Token": `\${KEY:-${SECRETS.fallback}}`,
    },
  },
  bearer: { url: "https://b.example/mcp", headers: { Authorization: `Bearer ${SECRETS.bearer}` } },
};

function assertHidden(text: string, where: string): void {
  for (const [name, secret] of Object.entries(SECRETS)) {
    assert.ok(!text.includes(secret), `${name} stands in ${where}`);
    assert.ok(!text.includes(btoa(`user:${secret}`)), `${name} stands in ${where}, in base64`);
  }
}

async function backendsOf(person: Person, env: Readonly<Record<string, string>>) {
  const text = person.read("project/sentinel.toml");
  const all = { ...parseEnv(person.read("project/sentinel.env")), ...env };
  const readFile = () => Promise.reject(new Error("no file in this test"));
  return (await parseConfig(text, { file: "sentinel.toml", env: all, readFile })).config.backends;
}

describe("import: credentials", () => {
  it("no literal one is printed or written to the configuration, and each still arrives", () =>
    asPerson(async (person) => {
      person.write("project/all.json", servers(ENTRIES));
      for (const argv of [[], ["--json"], ["-v"], ["--write"], ["--write", "--json"]]) {
        const { code, out, err } = await person.import(["all.json", ...argv]);
        assert.equal(code, 0, err);
        assertHidden(out, `stdout of ${argv}`);
        assertHidden(err, `stderr of ${argv}`);
      }
      assertHidden(person.read("project/sentinel.toml"), "sentinel.toml");
      const { process, shell, remote, bearer } = await backendsOf(person, { PREFIX: "pre-" });
      assert.deepEqual(process?.args, ENTRIES.process.args);
      assert.deepEqual(process?.env, { ...ENTRIES.process.env, DB_TOKEN: `pre-${SECRETS.mixed}` });
      assert.deepEqual(shell?.args, ENTRIES.shell.args);
      const { path, query } = SECRETS;
      assert.equal(remote?.url, `https://mcp.example.com/s/${path}/mcp?access_token=${query}`);
      assert.deepEqual(remote?.headers, {
        Authorization: `Basic ${btoa(`user:${SECRETS.password}`)}`,
        "X-Api-Key": SECRETS.header,
        "X-Token": SECRETS.fallback,
      });
      assert.equal(bearer?.headers["Authorization"], `Bearer ${SECRETS.bearer}`);
    }));

  it("a default that became a secret still gives way to the environment", () =>
    asPerson(async (person) => {
      person.write("project/all.json", servers(ENTRIES));
      await person.import(["all.json", "--write"]);
      const { remote } = await backendsOf(person, { PREFIX: "p", KEY: "from-outside" });
      assert.equal(remote?.headers["X-Token"], "from-outside");
    }));

  it("what is no credential stays readable", () =>
    asPerson(async (person) => {
      const plain = {
        command: "npx",
        args: [
          "-y",
          "@scope/server-with-a-long-name@2025.11.25",
          "--token-file",
          "/run/secrets/token",
          "--no-auth",
          "value",
          "--auth-mode",
          "oauth",
          "-v",
          "/srv/token:/srv/token:ro",
          "--max-tokens=4096",
          "https://example.com/a/path?page=2&sort=name",
          "--keyboard=us",
        ],
        env: {
          AUTH_TYPE: "basic",
          TOKEN_LIMIT: "100",
          API_KEY: "",
          TOKENIZER: "fast",
          PORT: "8080",
        },
      };
      const { out, err } = await person.import(["-"], { input: servers({ plain }) });
      assert.doesNotMatch(out, /\$\{/);
      assert.doesNotMatch(err, /sentinel\.env/);
    }));

  it("equal names with other values get names of their own, equal values share one", () =>
    asPerson(async (person) => {
      const server = (name: string, value: string) => ({ command: name, env: { API_KEY: value } });
      const input = servers({
        a: server("a", "value-one"),
        b: server("b", "value-two"),
        c: server("c", "value-one"),
        d: { command: "d", env: { USED: "${env:TAKEN_TOKEN}" } },
        e: { command: "e", env: { TAKEN_TOKEN: "value-three", SET_TOKEN: "value-four" } },
        f: { command: "f", env: { SENTINEL_AUDIT_URL: "postgres://u:value-five@h/db" } },
      });
      person.write("project/sentinel.env", "API_KEY=value-zero\n");
      const env = { SET_TOKEN: "another" };
      const { code } = await person.import(["-", "--write"], { input, env });
      assert.equal(code, 0);
      assert.deepEqual({ ...parseEnv(person.read("project/sentinel.env")) }, {
        API_KEY: "value-zero",
        A_API_KEY: "value-one",
        B_API_KEY: "value-two",
        C_API_KEY: "value-one",
        E_TAKEN_TOKEN: "value-three",
        E_SET_TOKEN: "value-four",
        MCP_SENTINEL_AUDIT_URL: "postgres://u:value-five@h/db",
      });
    }));

  it("a value that no env file can hold leaves its server out, without showing it", () =>
    asPerson(async (person) => {
      const value = "all'three\"quotes`and #one";
      const input = servers({
        odd: { command: "odd", env: { API_KEY: value } },
        time: { command: "t" },
      });
      const { code, out, err } = await person.import(["-"], { input });
      assert.equal(code, 0);
      assert.match(err, /odd +skipped: the value of API_KEY cannot be written to sentinel\.env/);
      assert.doesNotMatch(out, /backends\.odd/);
      assert.ok(!err.includes(value));
    }));
});
