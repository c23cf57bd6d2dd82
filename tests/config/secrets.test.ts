import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { looksLikeCredential, passwordOf } from "../../src/config/credentials.ts";
import { MASK, masker } from "../../src/config/mask.ts";
import { proves } from "../support/proves.ts";
import { issuesOf, parse } from "./parsing.ts";

const BACKEND = '[backends.a]\nurl = "https://a.example.com/mcp"\n';

describe("references", () => {
  proves("G1.4", "bring values of the environment and of files into texts", async () => {
    const text = `${BACKEND}headers = { Authorization = "Bearer \${env:TOKEN}", ` +
      'X-Key = "${file:key.txt}" }\n';
    const { config } = await parse(text, {
      env: { TOKEN: "abc" },
      readFile: (path) => Promise.resolve({ text: `content of ${path}\n` }),
    });
    assert.deepEqual(config.backends["a"]?.headers, {
      Authorization: "Bearer abc",
      "X-Key": "content of key.txt",
    });
  });

  it("use the fallback when a variable is not set or empty", async () => {
    const text = '[server]\nname = "${env:NAME:-fallback}"\n';
    const name = async (env: Record<string, string>) =>
      (await parse(text, { env })).config.server.name;
    assert.equal(await name({}), "fallback");
    assert.equal(await name({ NAME: "" }), "fallback");
    assert.equal(await name({ NAME: "given" }), "given");
    const empty = '[server]\ninstructions = "a${env:NAME:-}b"\n';
    assert.equal((await parse(empty)).config.server.instructions, "ab");
  });

  it("lose exactly one line end of a file", async () => {
    const read = async (content: string) => {
      const text = '[server]\ninstructions = "${file:a}"\n';
      const readFile = () => Promise.resolve({ text: content });
      return (await parse(text, { readFile })).config.server.instructions;
    };
    assert.equal(await read("a\n"), "a");
    assert.equal(await read("a\r\n"), "a");
    assert.equal(await read("a\n\n"), "a\n");
    assert.equal(await read("a"), "a");
  });

  it("write a literal ${ as $${", async () => {
    const { config } = await parse('[server]\ninstructions = "$${env:A} costs $5"\n');
    assert.equal(config.server.instructions, "${env:A} costs $5");
  });

  it("are resolved once: what comes in brings no more references and no TOML", async () => {
    const env = { A: '${env:B}"\nlisten = "0.0.0.0:1', B: "secret" };
    const { config } = await parse('[server]\ninstructions = "${env:A}"\n', { env });
    assert.equal(config.server.instructions, env.A);
    assert.equal(config.server.listen, "127.0.0.1:8808");
  });

  it("are read from each file once, and never from keys", async () => {
    let reads = 0;
    const readFile = () => Promise.resolve({ text: `${++reads}` });
    const text = `${BACKEND}headers = { X-A = "\${file:a}", X-B = "\${file:a}" }\n` +
      '[limits.tools]\n"${env:NOPE}" = { rate = "1/s" }\n';
    await parse(text, { readFile });
    assert.equal(reads, 1);
  });

  it("warn about files others may read", async () => {
    const text = `${BACKEND}headers = { X-Token = "\${file:a}" }\n`;
    const warnings = async (mode: number) => {
      const readFile = () => Promise.resolve({ text: "token", mode });
      return (await parse(text, { readFile })).warnings;
    };
    assert.deepEqual(await warnings(0o100640), []);
    assert.deepEqual(await warnings(0o100644), [
      "others may read the secret in a (mode 0644): use 0640 or less",
    ]);
  });
});

describe("secrets of the configuration", () => {
  it("are known for masking, longest first, with the passwords of URLs", async () => {
    const text = `${BACKEND}headers = { Authorization = "Bearer \${env:A_TOKEN}", ` +
      'X-Team = "${env:TEAM}" }\n' +
      '[sessions]\nstore = "redis"\nurl = "${env:CACHE}"\n';
    const { secrets } = await parse(text, {
      env: { A_TOKEN: "token-value", TEAM: "platform", CACHE: "redis://:p%40ssword@redis" },
    });
    assert.deepEqual(secrets, [
      "redis://:p%40ssword@redis",
      "token-value",
      "p%40ssword",
      "p@ssword",
    ]);
  });

  it("are known when a variable overrides them", async () => {
    const text = '[sessions]\nstore = "redis"\nurl = "redis://redis"\n';
    const env = { SENTINEL_SESSIONS_URL: "redis://:override-password@redis" };
    assert.deepEqual((await parse(text, { env })).secrets, ["override-password"]);
  });

  it("do not include flags and other values nobody hides", async () => {
    const text = '[backends.a]\ncommand = "npx"\nenv = { USE_TOKEN = "${env:USE_TOKEN}" }\n';
    assert.deepEqual((await parse(text, { env: { USE_TOKEN: "true" } })).secrets, []);
  });

  it("may not stand in the file, except for harmless values", async () => {
    const text = '[backends.a]\ncommand = "npx"\n[backends.a.env]\n' +
      'MAX_TOKENS = "4096"\nTOKEN_FILE = "/run/t"\nPUBLIC_KEY = "abcdefgh"\nUSE_AUTH = "true"\n';
    const { config } = await parse(text);
    assert.equal(Object.keys(config.backends["a"]?.env ?? {}).length, 4);
    const [issue] = await issuesOf(`${text}GITHUB_PAT = "ghp_1234567890"\n`);
    assert.equal(issue?.code, "secret_literal");
  });

  it("may be parts of a URL, when the password is a reference", async () => {
    const text = '[sessions]\nstore = "redis"\nurl = "redis://user:${env:PASS}@redis:6379"\n';
    const { config, secrets } = await parse(text, { env: { PASS: "long-password" } });
    assert.equal(config.sessions.url, "redis://user:long-password@redis:6379");
    assert.deepEqual(secrets, ["long-password"]);
  });
});

describe("looksLikeCredential()", () => {
  it("knows the names credentials have", () => {
    const names = ["Authorization", "X-Api-Key", "GITHUB_TOKEN", "apiKey", "DB_PASSWORD", "Cookie"];
    for (const name of [...names, "AWS_SECRET_ACCESS_KEY", "PROXY_AUTH", "OPENAI_KEY"]) {
      assert.equal(looksLikeCredential(name), true, name);
    }
  });

  it("leaves alone what only mentions them", () => {
    const names = ["TOKENIZERS_PARALLELISM", "MAX_TOKENS", "API_KEY_FILE", "PUBLIC_KEY", "PATH"];
    for (const name of [...names, "AUTH_METHOD", "Idempotency-Key", "KEYBOARD", "X-Team"]) {
      assert.equal(looksLikeCredential(name), false, name);
    }
  });
});

describe("passwordOf()", () => {
  it("finds the password of a URL and nothing else", () => {
    assert.equal(passwordOf("redis://:pass@redis:6379"), "pass");
    assert.equal(passwordOf("postgres://user:p@ss@db/x"), "p@ss");
    assert.equal(passwordOf("https://example.com/a:b@c"), undefined);
    assert.equal(passwordOf("redis://user@redis"), undefined);
  });
});

describe("masker()", () => {
  it("replaces secrets in every usual form", () => {
    const mask = masker(['s3cr3t/+"x']);
    const forms = [
      's3cr3t/+"x',
      btoa('s3cr3t/+"x'),
      encodeURIComponent('s3cr3t/+"x'),
      JSON.stringify('s3cr3t/+"x').slice(1, -1),
    ];
    for (const form of forms) assert.equal(mask(`a ${form} b`), `a ${MASK} b`);
  });

  it("replaces the longest of overlapping secrets, and takes none for a pattern", () => {
    assert.equal(masker(["abc.", "abc.def"])("abc.def abcx abc."), `${MASK} abcx ${MASK}`);
  });

  it("returns the text itself without secrets", () => {
    assert.equal(masker([])("text"), "text");
  });

  it("takes secrets that are no well-formed Unicode", () => {
    assert.equal(masker(["\ud800abc"])("x\ud800abcx"), `x${MASK}x`);
  });
});
