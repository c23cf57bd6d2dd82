import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { ConfigSchema } from "../../src/contract/config.ts";
import * as v from "valibot";
import { issuesOf, parse } from "./parsing.ts";

const ADMIN_TOKEN = "admin-token-of-the-file-0123456789";
const EXAMPLE = new URL("../../deploy/sentinel.example.toml", import.meta.url);

describe("parseConfig()", () => {
  it("takes an empty file for the defaults", async () => {
    const { config, notices, secrets } = await parse("");
    assert.deepEqual(config, v.parse(ConfigSchema, {}));
    assert.deepEqual(notices, []);
    assert.deepEqual(secrets, []);
  });

  it("reads files with a byte order mark and with Windows line ends", async () => {
    const { config } = await parse('\ufeff[server]\r\nname = "gateway"\r\n');
    assert.equal(config.server.name, "gateway");
    const [issue] = await issuesOf('\ufeff[server]\r\nnmae = "gateway"\r\n');
    assert.deepEqual([issue?.line, issue?.column], [2, 1]);
  });

  it("reports problems of every kind at once, in the order of the file", async () => {
    const issues = await issuesOf(
      '[server]\nnmae = "a"\nlisten = "0.0.0.0:1"\n[backends.a]\ntimeout = 3\n' +
        '[backends.b]\nurl = "${env:NOPE}"\nheaders = { Authorization = "Bearer x12345" }\n',
    );
    assert.deepEqual(issues.map(({ line, code }) => [line, code]), [
      [2, "unknown_key"],
      [3, "unsafe"],
      [4, "missing_key"],
      [5, "wrong_type"],
      [7, "unresolved"],
      [8, "secret_literal"],
    ]);
  });

  it("finds places in dotted keys, inline tables and lists of tables alike", async () => {
    const places = async (text: string) =>
      (await issuesOf(text)).map(({ line, column, endColumn }) => [line, column, endColumn]);
    assert.deepEqual(await places("sessions.resume.evnts = 1\n"), [[1, 17, 22]]);
    assert.deepEqual(await places("sessions = { resume = { evnts = 1 } }\n"), [[1, 25, 30]]);
    assert.deepEqual(await places('[sessions]\n"resume".evnts = 1\n'), [[2, 10, 15]]);
    const rules = 'name = "a"\nwhen = "true"\naction = "warn"\n';
    const twice = `[[rules]]\n${rules}[[rules]]\n${rules.replace('"a"', '"b"')}onn = 1\n`;
    assert.deepEqual(await places(twice), [[9, 1, 4]]);
    const inline = 'rules = [\n  { name = "a", when = "true", action = "warn" },\n' +
      '  { name = "b", when = "true", action = "wran" },\n]\n';
    assert.deepEqual(await places(inline), [[3, 41, 47]]);
  });

  it("gives each problem the whole path of its key", async () => {
    const issues = await issuesOf('[limits.tools]\n"gh__*" = { rate = "x" }\n');
    assert.deepEqual(issues.map(({ path }) => path), ['limits.tools."gh__*".rate']);
  });

  it("does not complain twice about one value", async () => {
    const issues = await issuesOf('[sessions]\nstore = "redis"\nurl = "${env:NOPE}"\n');
    assert.deepEqual(issues.map(({ code }) => code), ["unresolved"]);
  });

  it("says what is accepted but has no effect yet, each once", async () => {
    const { notices } = await parse(
      '[backends.a]\nurl = "http://127.0.0.1:1"\npool = { max_connections = 1 }\n' +
        '[sessions]\nstore = "sqlite"\nmax = 3\n[telemetry.log]\nlevel = "warn"\n',
    );
    assert.deepEqual(notices, [
      "section [backends.a.pool] has no effect yet",
    ]);
  });

  it("takes dates as milliseconds; a day begins at midnight UTC", async () => {
    const token = '[[management.tokens]]\nname = "a"\nscope = "read"\nvalue = "${env:T}"\n';
    const expires = async (text: string) => {
      const { config } = await parse(`${token}expires = ${text}\n`, { env: { T: "x".repeat(32) } });
      return config.management.tokens[0]?.expires;
    };
    assert.equal(await expires("2027-06-30"), Date.UTC(2027, 5, 30));
    assert.equal(await expires("2027-06-30T18:00:00+02:00"), Date.UTC(2027, 5, 30, 16));
  });

  it("is not slowed down or confused by hostile shapes", async () => {
    const deep = `server = ${"{ a = ".repeat(200)}1${" }".repeat(200)}\n`;
    assert.deepEqual((await issuesOf(deep)).map(({ code }) => code), ["unknown_key"]);
    const wide = Array.from({ length: 5000 }, (_, index) => `k${index} = 1`).join("\n");
    assert.equal((await issuesOf(`[server]\n${wide}\n`)).length, 5000);
  });
});

describe("values from outside the file", () => {
  it("win in the order option, variable, file, default, and their origin is known", async () => {
    const text = '[server]\nlisten = "127.0.0.1:1"\n';
    const env = { SENTINEL_SERVER_LISTEN: "127.0.0.1:2" };
    const option = { path: ["server", "listen"], value: "127.0.0.1:3", source: "--listen" };
    const cases = [
      [await parse(""), "127.0.0.1:8808", "default"],
      [await parse(text), "127.0.0.1:1", "file"],
      [await parse(text, { env }), "127.0.0.1:2", "SENTINEL_SERVER_LISTEN"],
      [await parse(text, { env, overrides: [option] }), "127.0.0.1:3", "--listen"],
    ] as const;
    for (const [{ config, origin }, value, source] of cases) {
      assert.equal(config.server.listen, value);
      assert.equal(origin(["server", "listen"]), source);
    }
  });

  it("are read by the type of their key", async () => {
    const { config } = await parse("", {
      env: {
        SENTINEL_SESSIONS_MAX: "7",
        SENTINEL_SERVER_LEGACY_SSE: "false",
        SENTINEL_SERVER_ALLOWED_ORIGINS: "https://a.example.com, https://b.example.com",
        SENTINEL_TELEMETRY_LOG_LEVEL: "debug",
        SENTINEL_SERVER_NAME: "",
        SENTINEL_UNKNOWN: "x",
      },
    });
    assert.equal(config.sessions.max, 7);
    assert.equal(config.server.legacy_sse, false);
    assert.deepEqual(config.server.allowed_origins, [
      "https://a.example.com",
      "https://b.example.com",
    ]);
    assert.equal(config.telemetry.log.level, "debug");
    assert.equal(config.server.name, "mcp-sentinel");
  });

  it("are checked like the file's, also for safety", async () => {
    const env = { SENTINEL_SERVER_LISTEN: "0.0.0.0:8808" };
    const [issue] = await issuesOf("", { env });
    assert.equal(issue?.code, "unsafe");
    assert.equal(issue?.file, "SENTINEL_SERVER_LISTEN");
    assert.equal(issue?.line, 0);
  });

  it("with sign-in every address may be listened on, and a weak secret is unsafe", async () => {
    const text = '[server]\nlisten = "0.0.0.0:8808"\n[auth]\nmode = "jwt"\n[[auth.jwt]]\n' +
      'issuer = "a"\naudience = "b"\nsecret = "${env:SECRET}"\n';
    const { config } = await parse(text, { env: { SECRET: "x".repeat(32) } });
    assert.equal(config.server.listen, "0.0.0.0:8808");
    for (const SECRET of ["x".repeat(31), "x"]) {
      const issues = await issuesOf(text, { env: { SECRET } });
      assert.deepEqual(issues.map(({ code, path }) => [code, path]), [
        ["unsafe", "auth.jwt.0.secret"],
      ]);
    }
    const missing = await issuesOf(text, { env: {} });
    assert.deepEqual(missing.map(({ code }) => code), ["unresolved"]);
  });

  it("do not repair a section of the wrong type", async () => {
    const issues = await issuesOf("server = 3\n", {
      env: { SENTINEL_SERVER_LISTEN: "127.0.0.1:1" },
    });
    assert.deepEqual(issues.map(({ path, code }) => [path, code]), [["server", "wrong_type"]]);
  });

  it("are no template: a reference in a variable stays text", async () => {
    const env = { SENTINEL_SERVER_INSTRUCTIONS: "${env:HOME}", HOME: "/home/a" };
    assert.equal((await parse("", { env })).config.server.instructions, "${env:HOME}");
  });
});

describe("deploy/sentinel.example.toml", () => {
  const env = {
    N8N_TOKEN: "n8n-token",
    CONTEXT7_API_KEY: "context7-key",
    SENTINEL_JWT_SECRET: "0123456789abcdef0123456789abcdef",
    DATABASE_URL: "postgres://sentinel:database-password@db/sentinel",
    REDIS_URL: "redis://:redis-password@redis:6379",
    SENTINEL_READ_TOKEN: "fedcba9876543210fedcba9876543210",
  };
  const readSecret = () => Promise.resolve({ text: `${ADMIN_TOKEN}\n`, mode: 0o100600 });

  it("is valid and has an example for every key", async () => {
    const text = await readFile(EXAMPLE, "utf8");
    const { config, warnings, origin } = await parse(text, { env, readFile: readSecret });
    assert.deepEqual(warnings, []);
    assert.equal(Object.keys(config.backends).length, 5);
    assert.equal(config.management.tokens[1]?.value, ADMIN_TOKEN);
    assert.equal(origin(["server", "tls", "cert"]), "file");
    for (const [section, value] of Object.entries(config)) {
      if (typeof value === "object") assert.equal(origin([section]), "file", section);
    }
  });

  it("names what its variables are for when they are missing", async () => {
    const issues = await issuesOf(await readFile(EXAMPLE, "utf8"));
    assert.equal(issues.length, 7);
    assert.ok(issues.every(({ code }) => code === "unresolved"));
  });
});
