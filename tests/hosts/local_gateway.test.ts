import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { parseLocalGateway } from "../../src/contract/local_gateway.ts";
import { announce, createToken } from "../../src/hosts/local_gateway.ts";
import { machine, startTime } from "../../src/hosts/process/process_table.ts";
import { systemRandom } from "../../src/hosts/random.ts";
import { inFolder } from "../support/temporary_folder.ts";

const onPosix = { skip: process.platform === "win32" };
const MONTHS_AGO = new Date(Date.now() - 100 * 24 * 3600 * 1000);

function facts(name = "office") {
  return {
    name,
    startedAt: "2026-11-21T12:00:00.000Z",
    management: "http://127.0.0.1:8809",
    token: createToken(systemRandom),
    endpoint: "http://127.0.0.1:8808/mcp",
    config: "/etc/gateway/sentinel.toml",
  };
}

function records(stateDir: string) {
  const folder = join(stateDir, "gateways");
  return readdirSync(folder).map((name) =>
    parseLocalGateway(readFileSync(join(folder, name), "utf8"))
  );
}

/** What is left of these files after the start of a gateway. */
function leftOf(stateDir: string, files: Readonly<Record<string, unknown>>, age = new Date()) {
  announce(stateDir, facts())();
  const folder = join(stateDir, "gateways");
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), JSON.stringify(content));
    utimesSync(join(folder, name), age, age);
  }
  announce(stateDir, facts())();
  return readdirSync(folder).sort();
}

/** This process, which lives. */
const here = { pid: process.pid, start: startTime(process.pid), machine: machine() };

describe("the record of a running gateway", () => {
  test("says where it is and who it is, until it ends", () =>
    inFolder((stateDir) => {
      const told = facts();
      const withdraw = announce(stateDir, told);
      const known = JSON.parse(JSON.stringify(here)) as typeof here; // without /proc only the pid
      assert.deepEqual(records(stateDir), [{ ...told, ...known }]);
      withdraw();
      assert.deepEqual(records(stateDir), []);
      withdraw();
    }));

  test("can be read by its owner only", onPosix, () =>
    inFolder((stateDir) => {
      const withdraw = announce(stateDir, facts());
      const folder = join(stateDir, "gateways");
      const files = readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777);
      assert.deepEqual(files, [0o600]);
      withdraw();
    }));

  test("stands beside those of other gateways of the same process", () =>
    inFolder((stateDir) => {
      const first = announce(stateDir, facts("one"));
      const second = announce(stateDir, facts("two"));
      assert.deepEqual(records(stateDir).map((record) => record?.name).sort(), ["one", "two"]);
      first();
      assert.deepEqual(records(stateDir).map((record) => record?.name), ["two"]);
      second();
    }));

  test("goes at the next start when its gateway has crashed, and no other", () =>
    inFolder((stateDir) => {
      const left = leftOf(stateDir, {
        "lives.json": { ...facts(), ...here },
        "gone.json": { ...facts(), ...here, pid: 0x7fff_ffff },
        "gone_elsewhere.json": { ...facts(), pid: 0x7fff_ffff },
        "lives_by_pid.json": { ...facts(), pid: process.pid },
        "elsewhere.json": { ...facts(), pid: 0x7fff_ffff, start: "1", machine: "another" },
        "broken.json": { hello: 1 },
        "begun.json.new": {},
        "office-0123abcd": {},
      });
      const kept = ["begun.json.new", "broken.json", "elsewhere.json", "lives.json"];
      assert.deepEqual(left, [...kept, "lives_by_pid.json", "office-0123abcd"]);
    }));

  test("goes after a month when nobody can tell whether its gateway runs", () =>
    inFolder((stateDir) => {
      const files = {
        "lives.json": { ...facts(), ...here },
        "elsewhere.json": { ...facts(), pid: 77, start: "1", machine: "another" },
        "broken.json": { hello: 1 },
        "begun.json.new": {},
        "office-0123abcd": {},
      };
      assert.deepEqual(leftOf(stateDir, files, MONTHS_AGO), ["lives.json", "office-0123abcd"]);
    }));

  test("a pid that another process has by now is told from the gateway's", {
    skip: here.start === undefined,
  }, () =>
    inFolder((stateDir) => {
      const reused = { ...facts(), ...here, start: `${here.start}0` };
      assert.deepEqual(leftOf(stateDir, { "reused.json": reused }), []);
    }));
});

describe("createToken", () => {
  test("gives 256 bits as text for a header, another one each time", () => {
    const tokens = new Set(Array.from({ length: 100 }, () => createToken(systemRandom)));
    assert.equal(tokens.size, 100);
    for (const token of tokens) assert.match(token, /^[A-Za-z0-9_-]{43}$/);
    const bytes = Uint8Array.from({ length: 32 }, () => 0xff);
    const token = createToken({ bytes: (length) => bytes.slice(0, length), fraction: () => 0 });
    assert.equal(token, `${"_".repeat(42)}8`);
  });
});
