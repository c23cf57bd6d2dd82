/** What `policy test` says without a gateway is what a gateway with the same configuration does. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fixtureBackend } from "../support/core.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import {
  Client,
  McpError,
  ResultSchema,
  StreamableHTTPClientTransport,
  type Transport,
} from "../support/sdk.ts";
import { runCli } from "./fake_io.ts";

const env = { JWT_SECRET: "an example of a secret with 32 bytes or more" };
const { command, args } = fixtureBackend();
const CONFIG = `[auth]
mode = "jwt"
[[auth.jwt]]
issuer = "dev"
audience = "a"
secret = "\${env:JWT_SECRET}"
[backends.f]
command = ${JSON.stringify(command)}
args = ${JSON.stringify(args)}
[backends.f.tools]
deny = ["wait"]
rename = { say = "tell" }
defaults = { progress = { branch = "main" } }
[roles.developer]
tools = ["f__*"]
deny = ["f__die"]
[roles.reader]
tools = ["f__echo", "f__l*", "f__die", "f__tell"]
[kill]
tools = ["f__log"]
[[rules]]
name = "no-main"
when = 'has(args.branch) && args.branch == "main"'
action = "deny"
[[rules]]
name = "no-links"
on = "list"
when = 'tool.name == "f__link" && "reader" in identity.roles'
action = "deny"
[[rules]]
name = "unsure"
when = 'tool.original == "echo" && has(args.count) && args.count.deeper == 1'
action = "warn"
`;

const ROLES = [["developer"], ["reader"], ["developer", "reader"]] as const;
const TOOLS = ["echo", "progress", "die", "log", "link", "wait", "say", "tell"];
const ARGUMENTS = [{ line: "{}" }, { branch: "main" }, { count: 1 }];

describe("policy test and a gateway", () => {
  let gateway: Gateway;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-truth-"));
    await writeFile(join(folder, "sentinel.toml"), CONFIG);
    gateway = await startGateway(CONFIG, { env });
  });
  after(async () => {
    await gateway.stop();
    await rm(folder, { recursive: true });
  });

  const run = (...argv: string[]) => runCli(argv, { cwd: folder, env });

  /** Whether the call reached the backend, whatever came of it there. */
  async function isServed(client: Client, name: string, given: object): Promise<boolean> {
    try {
      const params = { name, arguments: { ...given } };
      await client.request({ method: "tools/call", params }, ResultSchema, { timeout: 5000 });
      return true;
    } catch (thrown) {
      assert.ok(thrown instanceof McpError, String(thrown));
      assert.doesNotMatch(thrown.message, /timed out|too many/, name);
      return false;
    }
  }

  for (const roles of ROLES) {
    it(`agree about ${roles.join(" and ")}`, async () => {
      const named = roles.flatMap((role) => ["--role", role]);
      const token = (await run("token", "new", ...named)).out.trim();
      const client = new Client({ name: "t", version: "1" });
      const transport = new StreamableHTTPClientTransport(new URL(gateway.url), {
        requestInit: { headers: { authorization: `Bearer ${token}` } },
      });
      await client.connect(transport as Transport);
      const seen = { allowed: 0, denied: 0 };
      for (const tool of TOOLS) {
        for (const given of ARGUMENTS) {
          // Ends the process, or writes what is no answer, where it is let through.
          if (tool === "die" && !roles.includes("developer" as never)) continue;
          if (tool === "tell") continue;
          const line = [...named, `f__${tool}`, "--args", JSON.stringify(given)];
          const { code, out } = await run("policy", "test", ...line);
          const served = await isServed(client, `f__${tool}`, given);
          assert.equal(code === 0, served, `${tool} ${JSON.stringify(given)}: ${out}`);
          seen[served ? "allowed" : "denied"]++;
        }
      }
      assert.ok(seen.allowed >= 1 && seen.denied >= 5, JSON.stringify(seen));
      await client.close();
    });
  }

  it("agree about a tool by its new name", async () => {
    const { code, out } = await run("policy", "test", "developer", "f__tell");
    assert.equal(code, 0, out);
    const old = await run("policy", "test", "developer", "f__say");
    assert.equal(old.code, 1);
    assert.match(old.out, /backend f shows say as tell/);
  });
});
