import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { SentinelError } from "../../src/contract/errors.ts";
import { gatewayFolder } from "../../src/hosts/state_folder.ts";
import { inFolder } from "../support/temporary_folder.ts";

const onPosix = { skip: process.platform === "win32" };
const asRoot = { skip: process.getuid?.() !== 0 };

const CONFIG = "/etc/gateway/sentinel.toml";

/** Runs the test with a state folder that does not exist yet. */
const inState = (work: (stateDir: string) => void) => () =>
  inFolder((folder) => work(join(folder, "deep", "mcp-sentinel")));

function says(...texts: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SentinelError, String(error));
    for (const text of texts) assert.ok(error.message.includes(text), error.message);
    return true;
  };
}

describe("gatewayFolder", () => {
  test(
    "is made below the state folder, with the name of the gateway",
    inState((stateDir) => {
      const folder = gatewayFolder(stateDir, { source: CONFIG, name: "office" });
      assert.ok(existsSync(folder));
      assert.equal(dirname(folder), join(stateDir, "gateways"));
      assert.match(basename(folder), /^office-[0-9a-f]{8}$/);
    }),
  );

  test(
    "is the same for the same configuration at each start, also under another name",
    inState((stateDir) => {
      const folder = gatewayFolder(stateDir, { source: CONFIG, name: "office" });
      assert.equal(gatewayFolder(stateDir, { source: CONFIG, name: "office" }), folder);
      assert.equal(gatewayFolder(stateDir, { source: CONFIG, name: "kitchen" }), folder);
      assert.equal(gatewayFolder(stateDir, { source: CONFIG }), folder);
    }),
  );

  test(
    "is another one for another configuration of the same name",
    inState((stateDir) => {
      const folders = [CONFIG, "/home/anna/project"].map((source) =>
        gatewayFolder(stateDir, { source, name: "office" })
      );
      assert.notEqual(folders[0], folders[1]);
    }),
  );

  test(
    "stays below the state folder, whatever the name",
    inState((stateDir) => {
      const names = ["../../etc", "a/b", "", "..", "Büro\u0000 1", "x".repeat(300)];
      const folders = names.map((name) => gatewayFolder(stateDir, { source: name, name }));
      for (const folder of folders) {
        assert.equal(dirname(folder), join(stateDir, "gateways"));
        assert.match(basename(folder), /^[A-Za-z0-9_-]{1,32}-[0-9a-f]{8}$/);
      }
      assert.equal(new Set(folders).size, names.length);
    }),
  );

  test(
    "is for its owner only, like every folder made on the way",
    onPosix,
    inState((stateDir) => {
      const folder = gatewayFolder(stateDir, { source: CONFIG });
      for (const made of [dirname(stateDir), stateDir, dirname(folder), folder]) {
        assert.equal(statSync(made).mode & 0o777, 0o700, made);
      }
    }),
  );

  for (const which of ["state folder", "folder of all gateways", "folder of the gateway"]) {
    test(
      `is refused when others may write the ${which}`,
      onPosix,
      inState((stateDir) => {
        const folder = gatewayFolder(stateDir, { source: CONFIG });
        const paths = {
          "state folder": stateDir,
          "folder of all gateways": dirname(folder),
          "folder of the gateway": folder,
        };
        const path = paths[which as keyof typeof paths];
        for (const mode of [0o770, 0o702, 0o1777]) {
          chmodSync(path, mode);
          const refused = says("Others may write", `"${path}"`, `chmod go-w "${path}"`);
          assert.throws(() => gatewayFolder(stateDir, { source: CONFIG }), refused);
        }
        chmodSync(path, 0o755);
        assert.equal(gatewayFolder(stateDir, { source: CONFIG }), folder);
      }),
    );
  }

  test(
    "is refused when it belongs to somebody else",
    asRoot,
    inState((stateDir) => {
      mkdirSync(stateDir, { recursive: true, mode: 0o700 });
      chownSync(stateDir, 12_345, 12_345);
      const refused = says(`"${stateDir}" belongs to another user (uid 12345)`, "XDG_STATE_HOME");
      assert.throws(() => gatewayFolder(stateDir, { source: CONFIG }), refused);
    }),
  );

  test(
    "is refused in words when it cannot be made",
    inState((stateDir) => {
      mkdirSync(dirname(stateDir), { recursive: true });
      writeFileSync(stateDir, "");
      const refused = says("Cannot make the state folder", stateDir, "XDG_STATE_HOME");
      assert.throws(() => gatewayFolder(stateDir, { source: CONFIG }), refused);
    }),
  );
});
