import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatGithub, formatIssues } from "../../src/config/format.ts";
import { issuesOf } from "./parsing.ts";

async function shown(text: string, env: Record<string, string> = {}): Promise<string> {
  return formatIssues(await issuesOf(text, { env }));
}

describe("formatIssues()", () => {
  it("points at an unknown key and suggests the known one", async () => {
    const text = '[backends.n8n]\nurl = "https://n8n.example.com/mcp"\ntimout = "30s"\n';
    assert.equal(
      await shown(text),
      `error: unknown key "timout"
  --> sentinel.toml:3:1  in [backends.n8n]
  |
3 | timout = "30s"
  | ^^^^^^ did you mean "timeout"?`,
    );
  });

  it("names the rule in whose block the place lies, and lists the words of a choice", async () => {
    const text = "\n".repeat(99) +
      '[[rules]]\nname    = "no-drop-table"\nwhen    = "true"\naction  = "blok"\n';
    assert.equal(
      await shown(text),
      `error: "blok" is not a rule action
  --> sentinel.toml:103:11  in [[rules]] "no-drop-table"
    |
103 | action  = "blok"
    |           ^^^^^^ use one of: allow, deny, warn, redact, transform, delay, fault, approve`,
    );
  });

  it("shows both lines of a conflict", async () => {
    const text = '[backends.github]\nurl     = "https://a.example.com"\nenabled = true\n' +
      'command = "npx"\n';
    assert.equal(
      await shown(text),
      `error: a backend needs either url or command, not both
  --> sentinel.toml:4:1  in [backends.github]
  |
2 | url     = "https://a.example.com"
4 | command = "npx"
  | ^^^^^^^ remove one; url = HTTP server, command = local process`,
    );
  });

  it("replaces a secret by bullets of one width and says what to write", async () => {
    const text = '[auth]\nmode = "jwt"\n[[auth.jwt]]\nissuer     = "sentinel-dev"\n' +
      'audience   = "sentinel"\nsecret     = "hunter2"\n';
    assert.equal(
      await shown(text),
      `error: secret written in the file
  --> sentinel.toml:6:14  in [[auth.jwt]] issuer "sentinel-dev"
  |
6 | secret     = "••••••••"
  |              ^^^^^^^^^^ write  secret = "\${env:SENTINEL_JWT_SECRET}"  and set the variable`,
    );
  });

  it("keeps the mark under its place when a secret before it has another width", async () => {
    const text = '[backends.a]\nurl = "https://a.example.com"\n' +
      'headers = { X-Api-Key = "hunter2hunter2hunter2hunter2", Host = "b" }\n';
    const lines = (await shown(text)).split("\n");
    const source = lines.at(-2) ?? "";
    const mark = lines.at(-1) ?? "";
    assert.equal(source.slice(mark.indexOf("^"), mark.lastIndexOf("^") + 1), "Host");
  });

  it("gathers references without a value in one block", async () => {
    const text = '[backends.n8n]\nurl = "https://n8n.example.com/mcp"\n' +
      'headers = { X-A = "${env:N8N_TOKEN}" }\n[sessions]\nstore = "redis"\n' +
      'url = "${env:REDIS_URL}"\n';
    assert.equal(
      await shown(text, { REDIS_URL: "" }),
      `error: 2 references could not be resolved
  --> sentinel.toml:3:20  N8N_TOKEN is not set       (backends.n8n.headers.X-A)
  --> sentinel.toml:6:8   REDIS_URL is set but empty  (sessions.url)
  help: mcp-sentinel validate --env-file .env`.replace("not set       ", "not set        "),
    );
  });

  it("refuses an open listener in two lines and a help", async () => {
    assert.equal(
      await shown('[server]\nlisten = "0.0.0.0:8808"\n'),
      `error: refusing to listen on 0.0.0.0:8808 without authentication
  --> sentinel.toml:2:10  in [server]
  help: turn sign-in on ([auth] mode = "jwt"), or listen on 127.0.0.1:8808`,
    );
  });

  it("names the variable or option a wrong value came from", async () => {
    assert.equal(
      await shown("", { SENTINEL_SESSIONS_MAX: "many" }),
      `error: "max" must be a number, not a text
  --> SENTINEL_SESSIONS_MAX
  help: write  max = 1000`,
    );
  });

  it("shows twenty and counts the rest", async () => {
    const keys = Array.from({ length: 25 }, (_, index) => `unknown_${index} = 1\n`).join("");
    const text = await shown(`[server]\n${keys}`);
    assert.equal(text.match(/^error:/gm)?.length, 20);
    assert.match(text, /\n\nand 5 more$/);
  });

  it("cuts a long line around the place", async () => {
    const list = Array.from({ length: 100 }, () => '"a__*"').join(", ");
    const text = await shown(`[toolsets.a]\ntools = [${list}, 7, ${list}]\n`);
    const [, , , source = "", mark = ""] = text.split("\n");
    assert.ok(source.length < 140, source);
    assert.equal(source[mark.indexOf("^")], "7");
  });

  it("lets no control character of the file through, and keeps columns", async () => {
    const text = '# \ufeff\n[server]\n"a\u202eb" = 1\t\nname\t= 7\r\n';
    const [first = "", second = ""] = (await shown(text)).split("\n\n");
    assert.doesNotMatch(first + second, /[\u202e\t\r]/);
    const [source = "", mark = ""] = second.split("\n").slice(-2);
    assert.equal(source[mark.indexOf("^")], "7");
  });

  it("paints what it is given to paint", async () => {
    const issues = await issuesOf("[server]\nnmae = 1\n");
    const painted = formatIssues(issues, (style, text) => `<${style}>${text}</${style}>`);
    assert.match(painted, /^<error>error:<\/error> unknown key/);
    assert.match(painted, /<place>--><\/place>/);
    assert.match(painted, /<mark>\^\^\^\^<\/mark>/);
  });
});

describe("formatGithub()", () => {
  it("writes one workflow command for each issue", async () => {
    const issues = await issuesOf('[server]\nnmae = 1\nlisten = "0.0.0.0:1"\n');
    assert.deepEqual(formatGithub(issues).split("\n"), [
      '::error file=sentinel.toml,line=2,col=1,endColumn=5,title=unknown_key::unknown key "nmae"' +
      '%0Adid you mean "name"?',
      "::error file=sentinel.toml,line=3,col=10,endColumn=21,title=unsafe::refusing to listen on " +
      '0.0.0.0:1 without authentication%0Aturn sign-in on ([auth] mode = "jwt"), or listen on ' +
      "127.0.0.1:1",
    ]);
  });

  it("escapes what would end a command or a property", async () => {
    const issues = await issuesOf('"a%b" = 1\n', { file: "a,b:c.toml" });
    assert.match(formatGithub(issues), /^::error file=a%2Cb%3Ac\.toml,line=1,.*"a%25b"/);
  });
});
