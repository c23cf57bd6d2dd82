/** Every command that talks to a gateway, with a gateway that is down, refuses, or is of another version. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { before, describe, it } from "node:test";
import { VERSION } from "../../cli/version.ts";
import { TOKENS } from "../support/management.ts";
import { allCommands } from "./command_tree.ts";
import { type FakeIoOptions, type Ran, runCli } from "./fake_io.ts";
import { withOperator } from "./operator.ts";

/** What stands behind the path of a command, where it needs something. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  "backends show": ["x"],
  "backends logs": ["x"],
  "backends reconnect": ["x"],
  "backends enable": ["x"],
  "backends disable": ["x", "--reason", "y"],
  "tools show": ["x"],
  "tools call": ["x"],
  "tools approve": ["x", "--yes"],
  "tools enable": ["x"],
  "tools disable": ["x", "--reason", "y"],
  "sessions show": ["0123456789ab"],
  "sessions close": ["0123456789ab"],
  "calls show": ["0196a000-0000-7000-8000-000000000001"],
  "kill tool": ["x", "--reason", "y"],
  "kill backend": ["x", "--reason", "y"],
  "kill clear": ["tool", "x"],
};

/** Commands that may name a gateway, but do without one. */
const WITHOUT: ReadonlySet<string> = new Set(["auth explain", "connect", "doctor"]);

/** Commands that change a gateway. */
const ACTS: ReadonlySet<string> = new Set([
  "backends reconnect",
  "backends enable",
  "backends disable",
  "tools approve",
  "tools enable",
  "tools disable",
  "sessions close",
  "kill tool",
  "kill backend",
  "kill clear",
  "reload",
  "shutdown",
]);

/** Those that go on until somebody interrupts. */
const FOLLOWING: ReadonlySet<string> = new Set(["events tail", "calls tail", "audit tail"]);

const REMOTE = allCommands().filter(({ isRemote, path }) => isRemote && !WITHOUT.has(path))
  .map(({ path }) => path);

const lineOf = (path: string) => [...path.split(" "), ...ARGUMENTS[path] ?? []];
const at = (port: string | number) => [
  ...["--management-port", String(port), "--management-token-env", "TOKEN"],
];
const run = (argv: readonly string[], options: FakeIoOptions = {}): Promise<Ran> =>
  runCli(argv, { ...options, env: { TOKEN: TOKENS.admin, ...options.env } });

describe("a gateway that is down", () => {
  let port: number;
  before(async () => {
    // A port that was free a moment ago.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
    await new Promise((resolve) => server.close(resolve));
  });

  for (const path of REMOTE) {
    it(`${path} ends with 4 and says what to do`, async () => {
      const { code, out, err } = await run([...lineOf(path), ...at(port)]);
      assert.equal(code, 4, err);
      assert.equal(out, "");
      assert.match(err, /^error: .*127\.0\.0\.1:\d+.*\n( {2}.*\n)* {2}help: /);
    });
  }
});

describe("a gateway that does not accept who asks", () => {
  for (const path of REMOTE) {
    // A gateway for each: one that is tried too often answers something else.
    it(`${path} ends with 5 for a token it does not know`, () =>
      withOperator({}, async (operator) => {
        const { code, out, err } = await operator.run(lineOf(path), { token: TOKENS.wrong });
        assert.equal(code, 5, err);
        assert.equal(out, "");
        assert.match(err, /^error: /);
        assert.ok(!err.includes(TOKENS.wrong), "the token is told nobody");
      }));
  }

  for (const path of ACTS) {
    it(`${path} ends with 5 for a token that may only read`, () =>
      withOperator({}, async (operator) => {
        const line = [...lineOf(path), "--yes"];
        const { code, err } = await operator.run(line, { token: TOKENS.read });
        // What is not there is found out before anybody acts.
        assert.equal(code, path === "tools approve" ? 1 : 5, err);
      }));
  }

  it("the table of acts is that of the commands", () => {
    assert.deepEqual([...ACTS].filter((path) => !REMOTE.includes(path)), []);
  });
});

describe("a gateway of another version", () => {
  /** In front of a real gateway: says another version of itself, and more than this version knows. */
  async function withOther(work: (port: number, acts: string[]) => Promise<void>): Promise<void> {
    await withOperator({ config: { management: { allow_shutdown: true } } }, async ({ url }) => {
      const acts: string[] = [];
      const proxy = await startOther(url, acts);
      try {
        await work((proxy.address() as AddressInfo).port, acts);
      } finally {
        proxy.closeAllConnections();
        await new Promise((resolve) => proxy.close(resolve));
      }
    });
  }

  it("is read, with a warning that names both", () =>
    withOther(async (port) => {
      const reading = REMOTE.filter((path) => !ACTS.has(path) && !FOLLOWING.has(path));
      for (const path of reading.filter((one) => ARGUMENTS[one] === undefined)) {
        const { code, err, out } = await run([...lineOf(path), ...at(port)]);
        if (path.startsWith("audit")) continue; // this gateway keeps none
        // Without a backend it is not ready.
        assert.equal(code, path === "status" ? 6 : 0, `${path}: ${err}`);
        assert.match(err, /warning: the gateway is mcp-sentinel 9\.9\.9, this command is /, path);
        assert.equal(err.match(/9\.9\.9/g)?.length, 1, "it is said once");
        assert.ok(err.includes(VERSION));
        if (path !== "events list") assert.notEqual(out, "", path); // it has none
      }
    }));

  it("is not changed", () =>
    withOther(async (port, acts) => {
      for (const path of ACTS) {
        const { code, out, err } = await run([...lineOf(path), ...at(port)]);
        assert.equal(code, 1, path);
        assert.equal(out, "");
        // A name that is not there is told first, where it is looked up before the act.
        const isNamed = path.endsWith("approve");
        if (!isNamed) assert.match(err, /9\.9\.9.*nothing was changed\n {2}help: /, path);
      }
      assert.deepEqual(acts, []);
    }));

  it("an answer that cannot be understood is told with both versions", async () => {
    const strange = createServer((incoming, outgoing) => {
      const body = incoming.url?.includes("openapi") === true
        ? { openapi: "3.1.0", info: { version: "9.9.9" } }
        : { items: "many" };
      outgoing.setHeader("content-type", "application/json");
      outgoing.end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => strange.listen(0, "127.0.0.1", resolve));
    const { port } = strange.address() as AddressInfo;
    const { code, err } = await run(["backends", "list", ...at(port)]);
    strange.closeAllConnections();
    await new Promise((resolve) => strange.close(resolve));
    assert.equal(code, 1);
    assert.match(err, /9\.9\.9.*\n/);
    assert.ok(err.includes(VERSION), err);
  });
});

async function startOther(url: URL, acts: string[]): Promise<Server> {
  const proxy = createServer((incoming, outgoing) => {
    void (async () => {
      const { authorization = "" } = incoming.headers;
      const method = incoming.method ?? "GET";
      const path = incoming.url ?? "/";
      if (method !== "GET" && !path.includes("diff")) acts.push(`${method} ${path}`);
      const answer = await fetch(new URL(path, url), {
        method,
        headers: { authorization, "content-type": "application/json" },
        ...(method === "POST" ? { body: "{}" } : {}),
      });
      const body = await answer.json() as Record<string, unknown>;
      const other = path.endsWith("/status")
        ? { version: "9.9.9", mood: "fine" }
        : { mood: "fine" };
      outgoing.writeHead(answer.status, { "content-type": "application/json" });
      outgoing.end(JSON.stringify({ ...body, ...other }));
    })();
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return proxy;
}

describe("a terminal", () => {
  const reading = REMOTE.filter((path) =>
    !ACTS.has(path) && !FOLLOWING.has(path) && ARGUMENTS[path] === undefined &&
    !path.startsWith("audit")
  );

  it("without color, width or anybody there gets plain text, cut nowhere", () =>
    withOperator({}, async (operator) => {
      for (const path of reading) {
        for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }] as Record<string, string>[]) {
          const { out, err } = await operator.run(lineOf(path), { terminal: true, env });
          assert.ok(!`${out}${err}`.includes("\u001b"), path);
        }
        const piped = await operator.run(lineOf(path));
        assert.ok(!piped.out.includes("\u001b"), path);
        const unknown = await operator.run(lineOf(path), {
          terminal: true,
          env: { NO_COLOR: "1" },
        });
        assert.equal(unknown.out.split("\n").length, piped.out.split("\n").length, path);
      }
    }));

  it("as narrow as can be breaks nothing", () =>
    withOperator({}, async (operator) => {
      for (const path of reading) {
        const { code, err } = await operator.run(lineOf(path), { terminal: true, columns: 1 });
        assert.equal(code, path === "status" ? 6 : 0, `${path}: ${err}`);
      }
    }));
});
