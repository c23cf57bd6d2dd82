import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { issuesOf, parse } from "./parsing.ts";

const ENV = {
  LONG: "0123456789abcdef0123456789abcdef",
  OTHER: "f".repeat(32),
  SHORT: "hunter2-hunter2",
};

interface Token {
  readonly name: string;
  readonly variable: keyof typeof ENV;
  readonly expires?: string;
}

function tokens(...entries: readonly Token[]): string {
  return entries.map(({ name, variable, expires }) =>
    `[[management.tokens]]\nname = "${name}"\nscope = "read"\nvalue = "\${env:${variable}}"\n` +
    (expires === undefined ? "" : `expires = ${expires}\n`)
  ).join("");
}

async function warningsOf(text: string, now?: number): Promise<readonly string[]> {
  const options = { env: ENV, ...(now === undefined ? {} : { now }) };
  return (await parse(text, options)).warnings;
}

describe("warnings", () => {
  it("has none for what is in order", async () => {
    const text = tokens({ name: "a", variable: "LONG" }, { name: "a", variable: "OTHER" }) +
      '[kill]\ntools = ["a__*"]\nreason = "INC-1042"\n';
    assert.deepEqual(await warningsOf(text), []);
    assert.deepEqual(await warningsOf('[kill]\nreason = "for later"\n'), []);
  });

  it("has one for a token on loopback that can be guessed, and does not show it", async () => {
    assert.deepEqual(await warningsOf(tokens({ name: "a", variable: "SHORT" })), [
      'management token "a" is short enough to be guessed: make one with  openssl rand -base64 32',
    ]);
  });

  it("has one for a token that has expired, from that moment on", async () => {
    const text = tokens({ name: "a", variable: "LONG", expires: "2027-06-30" });
    const at = Date.UTC(2027, 5, 30);
    assert.deepEqual(await warningsOf(text, at - 1), []);
    assert.deepEqual(await warningsOf(text, at), [
      'management token "a" is not accepted any more: it expired 2027-06-30T00:00:00.000Z',
    ]);
    assert.deepEqual(await warningsOf(text), []);
  });

  it("has one for two names with one token: nobody could tell who acted", async () => {
    const text = tokens({ name: "a", variable: "LONG" }, { name: "b", variable: "LONG" });
    assert.deepEqual(await warningsOf(text), ['management tokens "a" and "b" are the same']);
  });

  it("has one for kill switches without a reason, which are in force all the same", async () => {
    const text = '[kill]\ntools = ["a__*"]\n';
    assert.deepEqual(await warningsOf(text), [
      '[kill] gives callers no reason: add  reason = "…"',
    ]);
    const { config, notices } = await parse(text);
    assert.deepEqual(config.kill.tools, ["a__*"]);
    assert.deepEqual(notices, []);
  });
});

describe("values put at the end of a list", () => {
  const added = (name: string) => ({
    path: ["management", "tokens"],
    value: { name, scope: "admin", value: ENV.OTHER },
    source: "--management-token-env",
    append: true,
  } as const);

  it("stand beside what the file has", async () => {
    const { config, secrets, origin } = await parse(tokens({ name: "a", variable: "LONG" }), {
      env: ENV,
      overrides: [added("cli"), added("second")],
    });
    assert.deepEqual(config.management.tokens.map(({ name }) => name), ["a", "cli", "second"]);
    assert.ok(secrets.includes(ENV.OTHER));
    assert.equal(origin(["management", "tokens", 1]), "--management-token-env");
    assert.equal(origin(["management", "tokens", 0]), "file");
  });

  it("make the list where the file has none", async () => {
    const { config } = await parse("", { overrides: [added("cli")] });
    assert.deepEqual(config.management.tokens.map(({ name }) => name), ["cli"]);
    const other = await parse("[management]\nallow_shutdown = true\n", { overrides: [added("x")] });
    assert.equal(other.config.management.allow_shutdown, true);
    assert.equal(other.config.management.tokens.length, 1);
  });

  it("are named where they are wrong; entries of the file keep their place", async () => {
    const text = tokens({ name: "a", variable: "LONG" }).replace('"read"', '"raed"');
    const issues = await issuesOf(text, { env: ENV, overrides: [added("not a name")] });
    assert.deepEqual(issues.map(({ file, line, path }) => [file, line, path]), [
      ["--management-token-env", 0, "management.tokens.1.name"],
      ["sentinel.toml", 3, "management.tokens.0.scope"],
    ]);
  });
});

describe("a control plane that others can reach", () => {
  const listener = '[management]\nlisten = "0.0.0.0:8809"\nallow_remote = true\n' +
    '[management.tls]\ncert = "/a.crt"\nkey = "/a.key"\n';

  it("is accepted with all that makes it safe", async () => {
    const { config } = await parse(listener + tokens({ name: "a", variable: "LONG" }), {
      env: ENV,
    });
    assert.equal(config.management.allow_remote, true);
  });

  it("is refused as unsafe when one of these is missing", async () => {
    const strong = tokens({ name: "a", variable: "LONG" });
    const broken = [
      [listener.replace("allow_remote = true\n", "") + strong, /without allow_remote/],
      [listener.replace(/\[management\.tls\][^]*/, "") + strong, /without TLS/],
      [listener, /without a token of at least 32 bytes/],
      [listener + tokens({ name: "a", variable: "SHORT" }), /without a token of at least 32/],
      [listener + strong + tokens({ name: "b", variable: "SHORT" }), /at least 32 bytes/],
    ] as const;
    for (const [text, message] of broken) {
      const issues = await issuesOf(text, { env: ENV });
      assert.deepEqual(issues.map(({ code }) => code), ["unsafe"], text);
      assert.match(issues[0]?.message ?? "", message);
      assert.doesNotMatch(JSON.stringify(issues), /hunter2|0123456789/);
    }
  });

  it("has one for roles that nobody is asked for", async () => {
    const roles = '[roles.reader]\ntools = ["*__read"]\n';
    const issuer = '[auth]\nmode = "jwt"\n[[auth.jwt]]\nissuer = "https://i.test"\n' +
      'audience = "https://g.test"\nsecret = "${env:LONG}"\n';
    assert.deepEqual(await warningsOf(issuer + roles), []);
    assert.deepEqual(await warningsOf(roles), [
      '[roles] protects nothing while auth.mode is "none": everybody sees and may call everything',
    ]);
  });
});
