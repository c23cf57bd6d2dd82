import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe } from "node:test";
import { proves } from "../support/proves.ts";
import type { RunningProgram } from "../support/running_program.ts";
import type { Client } from "../support/sdk.ts";
import { type HttpServer, startEverything } from "../support/servers.ts";
import { callTool, listTools, textOf } from "./clients.ts";
import { LITERAL, Person } from "./first_minute_person.ts";
import { stopAll } from "./stop_all.ts";
import { until } from "./until.ts";

const TIMEOUT = { timeout: 180_000 };
const START_MS = 60_000;
/** Ports of the system's choice, for the gateways of several tests at once. */
const PORTS = ["--listen", "127.0.0.1:0", "--management-port", "0"];

describe("the first minute", () => {
  let folder: string;
  let remote: HttpServer;
  let person: Person;
  let gateway: RunningProgram | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "first-minute-"));
    remote = await startEverything("streamableHttp");
    person = new Person(folder, remote.url);
  });
  afterEach(async () => {
    await stopAll([
      async () => await gateway?.stop(),
      async () => await remote?.stop(),
      () => rm(folder, { recursive: true, force: true }),
    ]);
    gateway = undefined;
  });

  proves("X6", "up tells of the servers of clients and starts none", async () => {
    gateway = person.start("up", ...PORTS);
    await gateway.printed(/MCP endpoint +http:[^]*Stop:/);
    assert.match(
      gateway.stdout,
      /Found 4 servers in 4 client files \(3 distinct\) — not started:\n {4}memory, remote, thinking\n/,
    );
    assert.match(gateway.stdout, /up --from found\n[^]*import --write/);
    assert.match(gateway.stdout, /Backends +none yet/);
  }, TIMEOUT);

  proves(
    "X6",
    "up --from found: a configured client calls the tools of all, and no file is written",
    async () => {
      const before = person.bytes();
      gateway = person.start("up", "--from", "found", "--json", ...PORTS);
      await gateway.printed(/"url": "http/);
      const connected = await person.run("connect", "cursor", "--write");
      assert.equal(connected.code, 0, connected.err);
      await useTools("cursor");
      assert.deepEqual(readdirSync(person.project), [".mcp.json"]);
      const shown = await person.run("backends", "show", "remote", "--json");
      assert.equal(shown.code, 0, shown.err);
      for (
        const text of [gateway.stdout, gateway.stderr, connected.out, connected.err, shown.out]
      ) {
        assert.doesNotMatch(text, new RegExp(LITERAL));
      }
      const undone = await person.run("connect", "cursor", "--undo");
      assert.match(undone.out, /byte for byte/);
      assert.deepEqual(person.bytes(), before);
    },
    TIMEOUT,
  );

  proves(
    "X6",
    "import, server, connect --replace: every client calls through its file, which --undo restores",
    async () => {
      const before = person.bytes();
      const imported = await person.run("import", "--write");
      assert.equal(imported.code, 0, imported.err);
      const config = join(person.project, "sentinel.toml");
      assert.doesNotMatch(readFileSync(config, "utf8"), new RegExp(LITERAL));
      gateway = person.start("server", "--json", ...PORTS);
      await gateway.printed(/"url": "http/);

      const replaced = await person.run("connect", "--all", "--write", "--replace");
      assert.equal(replaced.code, 0, replaced.err);
      for (const client of CLIENTS) {
        assert.deepEqual(person.serversOf(client), ["sentinel"], client);
        assert.doesNotMatch(readFileSync(person.files[client], "utf8"), new RegExp(LITERAL));
        await useTools(client);
      }
      const left = person.bytes();
      const again = await person.run("connect", "--all", "--write", "--replace");
      assert.equal(again.code, 0, again.err);
      assert.deepEqual(person.bytes(), left);

      const undone = await person.run("connect", "--all", "--undo");
      assert.equal(undone.code, 0, undone.err);
      assert.deepEqual(person.bytes(), before);
      assert.doesNotMatch(replaced.out + replaced.err + undone.out, new RegExp(LITERAL));
    },
    TIMEOUT,
  );

  proves(
    "X6",
    "connect --replace imports what a running gateway does not have yet, or changes nothing",
    async () => {
      const before = person.bytes();
      await person.run("init");
      const variables = join(folder, "other.env");
      await writeFile(variables, "");
      gateway = person.start("server", "--env-file", variables, "--json", ...PORTS);
      await gateway.printed(/"url": "http/);
      // The credential of this one goes to a file that the gateway was told not to read.
      const refused = await person.run("connect", "cursor", "--write", "--replace");
      assert.equal(refused.code, 1, refused.out);
      assert.match(refused.err, /did not take the imported servers[^]*reads .*sentinel\.env/);
      assert.deepEqual(person.bytes(), before);
      assert.equal(existsSync(join(person.project, "sentinel.env")), true);

      await gateway.stop();
      gateway = person.start("server", "--json", ...PORTS);
      await gateway.printed(/"url": "http/);
      for (const client of CLIENTS) {
        const { code, err } = await person.run("connect", client, "--replace");
        assert.equal(code, 0, err);
      }
      await useTools("claude-desktop");
      await person.run("connect", "--all", "--undo");
      assert.deepEqual(person.bytes(), before);
    },
    TIMEOUT,
  );

  const CLIENTS = ["claude-code", "claude-desktop", "cursor", "vscode"] as const;

  /** The client sees the tools of every server, and calls one of each kind. */
  async function useTools(client: typeof CLIENTS[number]): Promise<void> {
    const opened = await person.open(client, "sentinel");
    try {
      await until(() => hasTools(opened, ["memory__", "remote__", "thinking__"]), START_MS);
      const sum = await callTool(opened, "remote__get-sum", { a: 2, b: 40 });
      assert.equal(textOf(sum), "The sum of 2 and 40 is 42.");
      const graph = await callTool(opened, "memory__read_graph");
      assert.match(textOf(graph), /"entities": \[\]/);
    } finally {
      await opened.close();
    }
  }
});

async function hasTools(client: Client, prefixes: readonly string[]): Promise<void> {
  const names = (await listTools(client)).map((tool) => String(tool["name"]));
  for (const prefix of prefixes) {
    assert.ok(names.some((name) => name.startsWith(prefix)), `${prefix}: ${names.join()}`);
  }
}
