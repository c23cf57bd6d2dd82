import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseEnv } from "node:util";
import { parseConfig } from "../../src/config/parse.ts";
import { asPerson, type Person } from "./import_setup.ts";

const EXPORT = new URL("../fixtures/clients/contextforge_export.json", import.meta.url);
/** Encrypted with ContextForge's own scheme, by another implementation of it. */
const SECRET = { AUTH_ENCRYPTION_SECRET: "forge-secret" };
const LITERALS = ["forge-token-1", "dXNlcjpmb3JnZS1wYXNz", "forge-team-value", "forge-key-3"];

function withExport(work: (person: Person) => Promise<void>): Promise<void> {
  return asPerson(async (person) => {
    person.write("project/export.json", readFileSync(EXPORT, "utf8"));
    await work(person);
  });
}

async function configOf(person: Person) {
  const env = parseEnv(person.read("project/sentinel.env"));
  const text = person.read("project/sentinel.toml");
  const readFile = () => Promise.reject(new Error("no file in this test"));
  return (await parseConfig(text, { file: "sentinel.toml", env, readFile })).config;
}

describe("import --from contextforge", () => {
  it("gateways become backends that sign in as before", () =>
    withExport(async (person) => {
      const { code, out, err } = await person.import(
        ["--from", "contextforge", "export.json", "--write"],
        { env: SECRET },
      );
      assert.equal(code, 0, err);
      for (const literal of LITERALS) assert.ok(!`${out}${err}`.includes(literal), literal);
      const { backends } = await configOf(person);
      assert.deepEqual(
        Object.entries(backends).map(([name, { url, headers, transport, enabled }]) => ({
          name,
          url,
          headers,
          transport,
          enabled,
        })),
        [
          {
            name: "github-tools",
            url: "https://mcp.github.example/mcp",
            headers: { Authorization: "Bearer forge-token-1" },
            transport: "auto",
            enabled: true,
          },
          {
            name: "legacy-crm",
            url: "http://localhost:9000/sse",
            headers: { Authorization: "Basic dXNlcjpmb3JnZS1wYXNz" },
            transport: "http_sse",
            enabled: false,
          },
          {
            name: "metrics",
            url: "https://metrics.example/mcp?tenant=7",
            headers: { "X-Team": "forge-team-value", "X-Api-Key": "forge-key-3" },
            transport: "auto",
            enabled: true,
          },
          {
            name: "oauth",
            url: "https://oauth.example/mcp",
            headers: {},
            transport: "auto",
            enabled: true,
          },
        ],
      );
    }));

  it("virtual servers become toolsets of the same tools and nothing else", () =>
    withExport(async (person) => {
      await person.import(["--from", "contextforge", "export.json", "--write"], { env: SECRET });
      const { toolsets } = await configOf(person);
      assert.deepEqual(Object.keys(toolsets), ["developers"]);
      assert.deepEqual(toolsets["developers"], {
        tools: [
          "github-tools__search-code",
          "github-tools__search_code",
          "github-tools__whoami",
          "metrics__query",
        ],
        prompts: [],
        resources: [],
        deny: [],
      });
    }));

  it("lists what could not be carried over, with the reason and what to do", () =>
    withExport(async (person) => {
      const { err } = await person.import(["--from", "contextforge", "export.json"], {
        env: SECRET,
      });
      const expected = [
        /tools +1 REST tool \(weather_api\): .*put one in front of the API/,
        /prompts +1 prompt \(greeting\): /,
        /resources +1 resource \(readme\): /,
        /roots +1 root \(srv\): /,
        /people +users, teams, tokens and plugins are not in exports/,
        /pipe +it is no HTTP server: write its command/,
        /oauth +it signs in with OAuth, which exports do not hold/,
        /github-tools +headers of clients are not passed on \(X-Tenant-Id\)/,
        /legacy-crm +if this is a mcpgateway\.translate process/,
        /developers +its tools weather-api, 0f5f4b66a4d34c1f9a7a0c7d5b1b2c3d are not in the toolset/,
        /off +the virtual server is switched off/,
        /rest-only +its tools weather-api are not in the toolset: they are no tools of MCP servers/,
      ];
      for (const line of expected) assert.match(err, line);
      const { out } = await person.import(["--from", "contextforge", "export.json", "--json"]);
      const notes: { code: string; about: string }[] = JSON.parse(out).notes;
      assert.ok(notes.some(({ code, about }) => code === "not_carried" && about === "prompts"));
    }));

  it("without the secret of the encryption, credentials are variables to set", () =>
    withExport(async (person) => {
      for (const env of [{}, { AUTH_ENCRYPTION_SECRET: "another" }]) {
        const { code, out, err } = await person.import(["--from", "contextforge", "export.json"], {
          env,
        });
        assert.equal(code, 0);
        assert.match(out, /headers = \{ Authorization = "Bearer \$\{env:GITHUB_TOOLS_TOKEN\}" \}/);
        assert.match(out, /headers = \{ Authorization = "Basic \$\{env:LEGACY_CRM_TOKEN\}" \}/);
        assert.match(err, /github-tools +its credential is encrypted: set AUTH_ENCRYPTION_SECRET/);
        assert.match(err, /metrics +its headers are encrypted: /);
      }
    }));

  it("credentials that stand there as they are move too; hidden ones do not", () =>
    asPerson(async (person) => {
      const gateway = (name: string, auth: object) => ({
        name,
        url: `https://${name}.example/mcp`,
        ...auth,
      });
      const gateways = [
        gateway("a", { auth_type: "basic", auth_username: "me", auth_password: "plain-pass" }),
        gateway("b", { auth_type: "bearer", auth_token: "plain-token" }),
        gateway("c", {
          auth_type: "authheaders",
          auth_header_key: "X-Odd",
          auth_header_value: "plain-odd",
        }),
        gateway("d", { auth_type: "bearer", auth_token: "*****" }),
      ];
      person.write("project/e.json", JSON.stringify({ exported_at: "x", entities: { gateways } }));
      const { code, out, err } = await person.import([
        "--from",
        "contextforge",
        "e.json",
        "--write",
      ]);
      assert.equal(code, 0, err);
      assert.ok(!/plain-|\*\*\*/.test(out + err + person.read("project/sentinel.toml")));
      const values = Object.values(parseEnv(person.read("project/sentinel.env")));
      assert.deepEqual(values, [btoa("me:plain-pass"), "plain-token", "plain-odd"]);
      assert.match(err, /d +its credential is encrypted/);
    }));

  it("the separator of the configuration is the one of the toolsets", () =>
    withExport(async (person) => {
      person.write("project/sentinel.toml", '[catalog]\nseparator = "-"\n');
      const { out } = await person.import(["--from", "contextforge", "export.json"], {
        env: SECRET,
      });
      assert.match(out, /"github-tools-search_code"/);
    }));

  it("a second run writes nothing", () =>
    withExport(async (person) => {
      const argv = ["--from", "contextforge", "export.json", "--write"];
      await person.import(argv, { env: SECRET });
      const before = person.read("project/sentinel.toml");
      const { code, err } = await person.import(argv, { env: SECRET });
      assert.equal(code, 0);
      assert.match(err, /nothing new/);
      assert.equal(person.read("project/sentinel.toml"), before);
    }));

  it("needs a file, and one that is an export", () =>
    asPerson(async (person) => {
      const none = await person.import(["--from", "contextforge"]);
      assert.equal(none.code, 2);
      assert.match(none.err, /needs the file of an export\n {2}help: mcpgateway export/);
      person.write("project/x.json", '{"mcpServers":{"a":{"command":"a"}}}');
      const other = await person.import(["--from", "contextforge", "x.json"]);
      assert.equal(other.code, 1);
      assert.match(other.err, /x\.json: it is no export of ContextForge/);
    }));
});
