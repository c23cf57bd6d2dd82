import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { parse, stringify } from "smol-toml";
import { type Ran, runCli } from "../cli/fake_io.ts";
import { Authority } from "../support/certificates.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { proves } from "../support/proves.ts";
import { wordsOf } from "./command_lines.ts";
import { blockWith, linesOf } from "./page_blocks.ts";

const GUIDE = "docs/security_configuration.md";
const TOKEN = "oncall-token-0123456789abcdef0123456789";
const OPTIONS = { timeout: 90_000 };

describe("set-up of the management API, as the guide has it", () => {
  let folder: string;
  let authority: Authority;
  let gateway: Gateway | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "sentinel-set-up-"));
    authority = new Authority();
    const { certFile, keyFile } = authority.issue({ subject: "/CN=gateway", use: "server" });
    copyFileSync(certFile, join(folder, "mgmt.crt"));
    copyFileSync(keyFile, join(folder, "mgmt.key"));
    copyFileSync(authority.root.certFile, join(folder, "mgmt-ca.crt"));
    writeFileSync(join(folder, "team.token"), TOKEN, { mode: 0o600 });
    const { status, stderr } = spawnSync("/bin/sh", ["-ec", blockWith("anna.csr", GUIDE)], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    gateway = await startGateway(configuration(folder), { env: { SENTINEL_ONCALL_TOKEN: TOKEN } });
  }, { timeout: 90_000 });

  after(async () => {
    await gateway?.stop();
    authority.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** As the operator, whose files are in the folder. */
  function run(words: readonly string[]): Promise<Ran> {
    return runCli(words, { cwd: folder, env: { XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder } });
  }

  proves(
    "S9",
    "lets in who has token and certificate, by the commands that stand there",
    async () => {
      const url = gateway?.managementUrl ?? "";
      assert.match(url, /^https:/);
      const [add = "", ...others] = linesOf(blockWith("profile add team", GUIDE))
        .map((line) => line.replace("mcp-sentinel ", "").replace("https://10.0.0.5:8809", url));
      assert.equal(others.length, 2);
      const added = await run(wordsOf(add));
      assert.equal(added.code, 0, added.err);
      for (const line of others) {
        const { code, out, err } = await run(wordsOf(line));
        // Without a backend the gateway is reached, and not ready.
        assert.ok(code === 0 || code === 6, `${line}: ${code} ${out}${err}`);
      }
    },
    OPTIONS,
  );

  proves(
    "S3",
    "keeps out who has only one of them",
    async () => {
      const { port } = new URL(gateway?.managementUrl ?? "");
      const at = ["status", "--management-port", port, "--management-mtls-ca", "mgmt-ca.crt"];
      const certificate = ["--management-tls-cert", "anna.crt", "--management-tls-key", "anna.key"];
      const withEnv = (words: readonly string[], token: string) =>
        runCli([...words, "--management-token-env", "T"], { cwd: folder, env: { T: token } });
      assert.notEqual((await withEnv(at, TOKEN)).code, 0);
      assert.equal((await withEnv([...at, ...certificate], `${TOKEN}-not`)).code, 5);
      assert.equal((await withEnv([...at, ...certificate], TOKEN)).code, 6);
    },
    OPTIONS,
  );
});

/** The one of the guide, with files and addresses of this machine. */
function configuration(folder: string): string {
  const { management } = parse(blockWith("operators-ca.crt", GUIDE, "toml")) as {
    management: { tls: Readonly<Record<string, string>> };
  };
  const tls = Object.entries(management.tls).map(([name, path]) => [
    name,
    path.replace("/etc/mcp-sentinel", folder),
  ]);
  const listen = "127.0.0.1:0";
  return stringify({ management: { ...management, listen, tls: Object.fromEntries(tls) } });
}
