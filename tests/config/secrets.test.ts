import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { looksLikeCredential, passwordOf } from "../../src/config/credentials.ts";
import { MASK, masker } from "../../src/config/mask.ts";
import { StderrRing } from "../../src/core/backends/stderr_ring.ts";
import { seeded } from "../core/catalog/support.ts";
import { proves } from "../support/proves.ts";
import { issuesOf, parse } from "./parsing.ts";
import { SPELLINGS } from "./spellings.ts";

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
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = seeded(seed);
  const pick = (from: string) => {
    const letters = Array.from(from);
    return letters[Math.floor(random() * letters.length)] as string;
  };
  const word = (length: number, from: string) => Array.from({ length }, () => pick(from)).join("");
  const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const ODD = `${LETTERS}+/=_-.~!*'()&?%\\"\t é€𝄞`;

  /** Nothing of it is left in any spelling. */
  function assertGone(masked: string, secret: string, about: string): void {
    assert.ok(masked.includes(MASK), `${about}: ${masked}`);
    for (const [name, spell] of Object.entries(SPELLINGS)) {
      assert.ok(!masked.includes(spell(secret)), `${about}, still ${name}: ${masked}`);
    }
  }

  it(`replaces secrets in every spelling (seed ${seed})`, () => {
    for (let round = 0; round < 40; round++) {
      const secret = word(8 + Math.floor(random() * 40), round % 2 === 0 ? LETTERS : ODD);
      const mask = masker([secret, word(20, LETTERS), word(12, ODD)]);
      for (const [name, spell] of Object.entries(SPELLINGS)) {
        const [before, behind] = [word(9, " .,:<>"), word(9, " .,:<>")];
        const text = `${before}${spell(secret)}${behind}`;
        const about = `${name} of ${JSON.stringify(secret)}`;
        const masked = mask(text);
        assertGone(masked, secret, about);
        assert.ok(masked.startsWith(before), about);
        assert.ok(masked.endsWith(behind), about);
      }
    }
  });

  it("leaves nothing of a secret in Base64 but what stands around it", () => {
    const secret = "s3cr3t/+x-9";
    const mask = masker([secret]);
    assert.equal(mask(`Basic ${btoa(`user:${secret}`)}`), `Basic dXNlcj${MASK}`);
    assert.equal(mask(`a ${btoa(secret)} b`), `a ${MASK} b`);
    assert.equal(mask(`a ${btoa("s3cr3t/+x-9").replace(/=+$/, "")} b`), `a ${MASK} b`);
  });

  it("gives back a text without a secret itself, and keeps the escapes of others", () => {
    const mask = masker(["top-secret-value", "another"]);
    const json = JSON.stringify({ a: 'x"y\\z/%41', b: "caf\u00e9 %C3%A9 %zz %" });
    for (const text of ["", "x", json, encodeURIComponent(json), "\\", "%", "\\u12"]) {
      assert.equal(mask(text), text);
    }
    assert.equal(mask(`${json}top-secret%2Dvalue${json}`), json + MASK + json);
    assert.equal(mask('{"a":"top-secret-value","b":1}'), `{"a":"${MASK}","b":1}`);
  });

  it("replaces the longest of overlapping secrets, and takes none for a pattern", () => {
    assert.equal(masker(["abc.", "abc.def"])("abc.def abcx abc."), `${MASK} abcx ${MASK}`);
    assert.equal(masker(["abcdef", "defghi"])("-abcdefghi-"), `-${MASK}-`);
  });

  it("knows the lines of a key, and a secret that itself looks escaped", () => {
    const key = `-----BEGIN KEY-----\n${word(64, LETTERS)}\n${
      word(64, LETTERS)
    }\n-----END KEY-----`;
    const mask = masker([key, 'p%40ss"word']);
    for (const line of key.split("\n").slice(1, 3)) assert.equal(mask(`> ${line}`), `> ${MASK}`);
    assert.equal(mask(`-----BEGIN KEY-----`), "-----BEGIN KEY-----");
    assert.equal(mask(JSON.stringify(key)), `"${MASK}"`);
    assert.equal(mask(JSON.stringify('p%40ss"word')), `"${MASK}"`);
  });

  it("returns the text itself without secrets", () => {
    assert.equal(masker([])("text"), "text");
  });

  it("takes secrets that are no well-formed Unicode", () => {
    assert.equal(masker(["\ud800abc"])("x\ud800abcx"), `x${MASK}x`);
  });

  it("sees a secret that came in pieces, in a line of stderr", () => {
    const secret = word(24, LETTERS);
    const mask = masker([secret]);
    for (const [name, spell] of Object.entries(SPELLINGS)) {
      const bytes = new TextEncoder().encode(`before ${spell(secret)} behind\n`);
      for (let cut = 1; cut < bytes.length; cut += 5) {
        const ring = new StderrRing(mask);
        ring.push(bytes.slice(0, cut));
        ring.push(bytes.slice(cut));
        const [line = ""] = ring.tail(1);
        assertGone(line, secret, `${name}, cut at ${cut} (seed ${seed})`);
      }
    }
  });

  it("takes no longer for many secrets than for one, and twice as long for twice the text", () => {
    const text = "The quick brown fox jumps over the lazy dog. ".repeat(2500);
    const many = Array.from({ length: 100 }, () => word(30, ODD));
    const time = (secrets: readonly string[], of: string) => {
      const mask = masker(secrets);
      const once = () => {
        const start = performance.now();
        for (let round = 0; round < 5; round++) assert.equal(mask(of), of);
        return performance.now() - start;
      };
      once();
      return Math.min(...Array.from({ length: 7 }, once));
    };
    const one = time(many.slice(0, 1), text);
    assert.ok(time(many, text) < 8 * one, "a hundred secrets");
    assert.ok(time(many, text.repeat(8)) < 8 * 8 * one, "eight times the text");
  });
});
