import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { readLocalGateways } from "../../cli/local_gateways.ts";
import { announce, createToken } from "../../src/hosts/local_gateway.ts";
import { machine, startTime } from "../../src/hosts/process/process_table.ts";
import { systemRandom } from "../../src/hosts/random.ts";
import { inFolder } from "../support/temporary_folder.ts";

const facts = (name: string, startedAt = "2026-11-21T12:00:00.000Z") => ({
  name,
  startedAt,
  management: "http://127.0.0.1:8809",
  token: createToken(systemRandom),
});

const here = { pid: process.pid, start: startTime(process.pid), machine: machine() };
const names = (stateDir: string) => readLocalGateways(stateDir).map(({ name }) => name);

/** Writes a record as it stands. */
function forge(stateDir: string, file: string, content: string): string {
  mkdirSync(join(stateDir, "gateways"), { recursive: true, mode: 0o700 });
  const path = join(stateDir, "gateways", file);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

describe("readLocalGateways", () => {
  test("gives what running gateways announced, in the order of their start", () =>
    inFolder((stateDir) => {
      const later = announce(stateDir, facts("later", "2026-11-21T13:00:00.000Z"));
      const told = {
        ...facts("earlier"),
        endpoint: "http://127.0.0.1:8808/mcp",
        config: "/a.toml",
      };
      const earlier = announce(stateDir, told);
      assert.deepEqual(names(stateDir), ["earlier", "later"]);
      const [first] = readLocalGateways(stateDir);
      assert.deepEqual({ ...told, pid: process.pid }, { ...told, pid: first?.pid });
      for (const [key, value] of Object.entries(told)) {
        assert.equal(first?.[key as keyof typeof told], value);
      }
      earlier();
      later();
      assert.deepEqual(names(stateDir), []);
    }));

  test("finds none where there is no state folder, or something else", () =>
    inFolder((stateDir) => {
      assert.deepEqual(names(join(stateDir, "none")), []);
      writeFileSync(join(stateDir, "gateways"), "");
      assert.deepEqual(names(stateDir), []);
    }));

  test("leaves out what is no record, and says nothing of it", () =>
    inFolder((stateDir) => {
      const good = { ...facts("good"), ...here };
      forge(stateDir, "a.json", JSON.stringify(good).slice(0, 50));
      forge(stateDir, "b.json", JSON.stringify({ ...good, token: "short" }));
      forge(stateDir, "c.json", JSON.stringify({ ...good, management: "no url" }));
      forge(stateDir, "d.json", JSON.stringify({ ...good, name: "x".repeat(100_000) }));
      forge(stateDir, "e.txt", JSON.stringify(good));
      forge(stateDir, "f.json.new", JSON.stringify(good));
      mkdirSync(join(stateDir, "gateways", "g.json"));
      assert.deepEqual(names(stateDir), []);
      forge(stateDir, "good.json", JSON.stringify({ ...good, ofLaterVersions: true }));
      assert.deepEqual(names(stateDir), ["good"]);
    }));

  test("leaves out gateways that are gone, and those of another machine", () =>
    inFolder((stateDir) => {
      const record = (more: object) => JSON.stringify({ ...facts("x"), ...here, ...more });
      const file = forge(stateDir, "a.json", record({ pid: 0x7fff_ffff }));
      assert.deepEqual(names(stateDir), []);
      if (here.start !== undefined) {
        writeFileSync(file, record({ start: `${here.start}0` }));
        assert.deepEqual(names(stateDir), []);
        writeFileSync(file, record({ machine: "another" }));
        assert.deepEqual(names(stateDir), []);
      }
      writeFileSync(file, record({}));
      assert.deepEqual(names(stateDir), ["x"]);
    }));

  test("goes by the pid alone where the gateway knew no more", () =>
    inFolder((stateDir) => {
      forge(stateDir, "a.json", JSON.stringify({ ...facts("lives"), pid: process.pid }));
      forge(stateDir, "b.json", JSON.stringify({ ...facts("gone"), pid: 0x7fff_ffff }));
      assert.deepEqual(names(stateDir), ["lives"]);
    }));

  test("leaves out what others may read or write: its token is no secret", {
    skip: process.platform === "win32",
  }, () =>
    inFolder((stateDir) => {
      const file = forge(stateDir, "a.json", JSON.stringify({ ...facts("x"), ...here }));
      for (const mode of [0o640, 0o604, 0o622]) {
        chmodSync(file, mode);
        assert.deepEqual(names(stateDir), []);
      }
      chmodSync(file, 0o600);
      assert.deepEqual(names(stateDir), ["x"]);
    }));

  test(
    "leaves out what another user wrote",
    { skip: process.getuid?.() !== 0 },
    () =>
      inFolder((stateDir) => {
        const file = forge(stateDir, "a.json", JSON.stringify({ ...facts("x"), ...here }));
        chownSync(file, 12_345, 12_345);
        assert.deepEqual(names(stateDir), []);
        rmSync(file);
      }),
  );
});
