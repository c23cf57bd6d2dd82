import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import * as v from "valibot";
import { type RouteName, type RouteRow, ROUTES } from "../../src/contract/manage/mod.ts";
import { startEchoServer } from "../support/echo_server.ts";
import { HttpSession } from "../support/http_session.ts";
import { TOKENS } from "../support/management.ts";
import { proves } from "../support/proves.ts";
import { runCli } from "./fake_io.ts";
import { type Operator, withOperator } from "./operator.ts";

interface Scene extends Operator {
  readonly session: HttpSession;
  readonly config: Record<string, unknown>;
}

/** A gateway with two backends and one client session. */
async function withScene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const echo = await startEchoServer();
  const config = {
    backends: { docs: { url: echo.url }, off: { url: echo.url, enabled: false } },
    kill: { tools: ["z__*"], reason: "by file" },
    management: { allow_shutdown: true },
  };
  try {
    await withOperator({ config }, async (operator) => {
      const session = await HttpSession.open(operator.management.gateway.core.fetch);
      await session.request("tools/list");
      await work({ ...operator, session, config });
    });
  } finally {
    await echo.close();
  }
}

describe("commands on a gateway", () => {
  it("tools: list, filter, show, and what has no match", () =>
    withScene(async ({ run }) => {
      assert.equal(
        (await run(["tools", "list"])).out,
        "TOOL        BACKEND  ACCESS  DESCRIPTION\ndocs__echo  docs     open\n",
      );
      assert.match((await run(["tools", "ls", "--filter", "backend:docs"])).out, /docs__echo/);
      assert.equal((await run(["tools", "list", "--filter", "nope"])).out, "no tool matches\n");
      const shown = await run(["tools", "show", "docs__echo"]);
      assert.match(shown.out, /^docs__echo\n {2}backend {4}docs, as echo\n/);
      assert.match(shown.out, /"name": "docs__echo"/);
    }));

  it("a wrong filter is wrong usage, with the suggestion of the gateway", () =>
    withScene(async ({ run }) => {
      const { code, out, err } = await run(["backends", "list", "--filter", "stauts:ready"]);
      assert.equal(code, 2);
      assert.equal(out, "");
      assert.match(err, /unknown field "stauts".*did you mean "status"\?/);
      assert.match(err, /\n {2}help: .*\n {2}request: [0-9a-f-]{36}\n$/);
    }));

  it("a name that is not there is told with the nearest one", () =>
    withScene(async ({ run }) => {
      const cases = [
        [["backends", "show", "dosc"], /docs/],
        [["backends", "logs", "dosc"], /docs/],
        [["backends", "reconnect", "dosc"], /docs/],
        [["tools", "show", "docs__ecoh"], /docs__echo/],
        [["kill", "backend", "dosc", "--reason", "x"], /docs/],
      ] as const;
      for (const [argv, near] of cases) {
        const { code, err } = await run(argv);
        assert.equal(code, 1, argv.join(" "));
        assert.match(err, /^error: /);
        assert.match(err.slice(err.indexOf("\n")), near);
      }
    }));

  it("backends: logs, reconnect with what changed and how to undo it", () =>
    withScene(async ({ run }) => {
      const logs = await run(["backends", "logs", "docs"]);
      assert.deepEqual([logs.code, logs.out], [0, ""]);
      assert.match(logs.err, /docs has written nothing to stderr/);
      const { code, out } = await run(["backends", "reconnect", "docs"]);
      assert.equal(code, 0);
      assert.match(
        out,
        /^reconnected docs on 127\.0\.0\.1:\d+ {3}revision \d+ → \d+, .*\n {2}undo: /,
      );
    }));

  it("sessions: list, show, close", () =>
    withScene(async ({ run, session }) => {
      const list = await run(["sessions", "list"]);
      assert.match(list.out, /^ID +USER +CLIENT +PROTO +BY +AGE +IDLE +CALLS +STREAMS\n/);
      const [, id = ""] = /\n([0-9a-f]{12}) /.exec(list.out) ?? [];
      assert.match((await run(["sessions", "show", id])).out, /client +test/);
      const { code, out } = await run(["sessions", "close", id]);
      assert.equal(code, 0);
      assert.match(out, new RegExp(`^closed session ${id} on `));
      assert.equal((await session.send("ping")).status, 404);
      assert.equal((await run(["sessions", "list"])).out, "no open sessions\n");
      assert.equal((await run(["sessions", "close", id])).code, 1);
    }));

  it("sessions: one that came from another run says what goes on and what is lost", () => {
    const session = () => ({
      id: "0123456789ab",
      transport: "streamable_http",
      protocol: "2025-11-25",
      openedAt: "2026-11-20T14:00:00.000Z",
      idleSeconds: 1,
      calls: 1,
      inFlight: 0,
      streams: 1,
      restored: ["the subscription of a://b"],
      lost: ["what \u001b[2Jit kept", "lists it knew"],
      capabilities: [],
      links: [],
    });
    return withOperator({ control: { session } }, async ({ run }) => {
      const { out } = await run(["sessions", "show", "0123456789ab"]);
      const ledger = [
        "RE-ESTABLISHED",
        "  the subscription of a://b",
        "",
        "LOST",
        "  what \\x1b[2Jit kept",
        "  lists it knew",
      ];
      assert.ok(out.endsWith(`\n\n${ledger.join("\n")}\n`), out);
    });
  });

  it("limits: all of them, and those that refuse most", () => {
    const row = (number: number, rejected: number, used: number) => ({
      number,
      caller: `session ${number}`,
      name: `docs__${number}`,
      limit: "5/min",
      burst: 5,
      used,
      rejected,
      nextMs: used === 5 ? 11_500 : 0,
    });
    const rows = [row(1, 0, 1), row(2, 3, 5), row(3, 0, 4), row(4, 7, 5)];
    const limits = (after: number) => rows.filter(({ number }) => number > after);
    return withOperator({ control: { limits } }, async ({ run }) => {
      const callers = ({ out }: { readonly out: string }) =>
        [...out.matchAll(/docs__(\d)/g)].map(([, number]) => Number(number));
      const list = await run(["limits", "list"]);
      assert.match(list.out, /^CALLER +NAME +LIMIT +USED +REJECTED +NEXT TOKEN\n/);
      assert.match(list.out, /session 2 +docs__2 +5\/min +5\/5 +3 +12s\n/);
      assert.match(list.out, /session 3 +docs__3 +5\/min +4\/5 +0 +–\n/);
      assert.deepEqual(callers(list), [1, 2, 3, 4]);
      assert.deepEqual(callers(await run(["limits", "top"])), [4, 2, 3, 1]);
      assert.deepEqual(callers(await run(["limits", "top", "--limit", "1"])), [4]);
      assert.deepEqual(callers(await run(["limits", "list", "--filter", "next:>1s"])), [2, 4]);
      const none = await run(["limits", "list", "--filter", "caller:nobody"]);
      assert.equal(none.out, "no limit matches\n");
    });
  });

  it("kill: a switch is set, listed, in force, and cleared", () =>
    withScene(async ({ run, session }) => {
      const reasonless = await run(["kill", "tool", "docs__echo"]);
      assert.equal(reasonless.code, 2);
      assert.match(reasonless.err, /needs a reason/);
      const mistyped = await run(["kill", "tool", "docs__ecoh", "--reason", "x"]);
      assert.match(mistyped.out, /covers 0 tools now/);
      assert.match(mistyped.err, /nothing has the name docs__ecoh now; did you mean docs__echo\?/);
      const set = await run(["kill", "tool", "docs__*", "--reason", "INC-7 it's bad"]);
      assert.equal(set.code, 0);
      assert.match(
        set.out,
        /^killed tool docs__\* on .*\n {2}covers 1 tool now\n {2}undo: (.*)\n$/,
      );
      assert.match(set.out, /undo: mcp-sentinel kill clear tool 'docs__\*'/);
      const refused = await session.call("docs__echo", { text: "x" });
      assert.match(JSON.stringify(refused), /INC-7/);
      const { out } = await run(["kill", "list"]);
      assert.match(out, /^KIND +NAME +COVERS +SET BY +SINCE +FROM +REASON\n/);
      assert.match(out, /tool +docs__\* +1 +oncall +\d+s +operator +INC-7 it's bad\n/);
      assert.match(out, /tool +z__\* +0 .*config +by file\n/);
      assert.match((await run(["tools", "list"])).out, /killed +INC-7/);
      const cleared = await run(["kill", "clear", "tool", "docs__*"]);
      assert.equal(cleared.code, 0);
      assert.match(
        cleared.out,
        /undo: mcp-sentinel kill tool 'docs__\*' --reason 'INC-7 it'\\''s bad'/,
      );
      assert.match(JSON.stringify(await session.call("docs__echo", { text: "hi" })), /hi/);
      const file = await run(["kill", "clear", "tool", "z__*"]);
      assert.equal(file.code, 1);
      assert.match(file.err, /^error: /);
      assert.equal((await run(["kill", "clear", "server", "x"])).code, 2);
    }));

  it("what ends calls asks a person; nothing is done without a yes", () =>
    withScene(async ({ run, management }) => {
      const asked: string[] = [];
      const answering = (text: string) => (question: string) => {
        asked.push(question);
        return Promise.resolve(text);
      };
      const argv = ["kill", "tool", "docs__echo", "--reason", "x"];
      const no = await run(argv, { ask: answering("") });
      assert.equal(no.code, 1);
      assert.match(no.err, /nothing was changed/);
      assert.equal((await run(["shutdown"], { ask: answering("n") })).code, 1);
      assert.equal(management.gateway.stopWanted, false);
      assert.match(asked[0] ?? "", /^end calls to tool docs__echo on .*\? \[y\/N\] $/);
      assert.equal(asked.length, 2);
      assert.equal((await run([...argv, "--yes"], { ask: answering("n") })).code, 0);
      assert.equal(asked.length, 2);
      const clear = ["kill", "clear", "tool", "docs__echo"];
      assert.equal((await run(clear, { ask: answering("yes") })).code, 0);
    }));

  it("diff says what a reload would do, with exit code 7; reload does it", () =>
    withScene(async ({ run, management, config }) => {
      const same = await run(["diff"]);
      assert.equal(same.code, 0, same.err);
      assert.match(same.out, /^nothing would change/);
      const { docs } = config["backends"] as Record<string, Record<string, unknown>>;
      management.gateway.source.write({
        ...config,
        server: { listen: "127.0.0.1:9999" },
        backends: { docs: { ...docs, timeout: "7s" } },
      });
      const { code, out } = await run(["diff"]);
      assert.equal(code, 7);
      assert.match(
        out,
        /^ {2}! server\.listen +"127\.0\.0\.1:8808" → "127\.0\.0\.1:9999" +is ignored/m,
      );
      assert.match(out, /^ {2}\+ backends\.docs\.timeout +"7s"/m);
      assert.match(out, /^ {2}- backends\.off/m);
      const reloaded = await run(["reload"]);
      assert.equal(reloaded.code, 0, reloaded.err);
      assert.match(reloaded.out, /^reloaded .*\n.*\n(.*\n)* {2}undo: put the file back/);
      assert.equal((await run(["backends", "show", "off"])).code, 1);
    }));

  it("a wrong configuration is exit code 3 for diff and 1 for reload, with its mistakes", () =>
    withScene(async ({ run, management }) => {
      management.gateway.source.write({ server: { listen: 7 } });
      const compared = await run(["diff"]);
      assert.equal(compared.code, 3);
      const reloaded = await run(["reload"]);
      assert.equal(reloaded.code, 1);
      for (const { err } of [compared, reloaded]) assert.match(err, /^error: .*\n {2}--> /);
      const { issues, error } = JSON.parse((await run(["reload", "--json"])).out);
      assert.equal(error, "CONFIG_INVALID");
      assert.equal(issues.length, 1);
    }));

  it("shutdown drains where it is allowed", () =>
    withScene(async ({ run, management }) => {
      const { code, out } = await run(["shutdown"]);
      assert.equal(code, 0);
      assert.match(out, /drains and stops.*\n {2}undo: start it again/);
      assert.equal(management.gateway.stopWanted, true);
    }));

  it("shutdown is refused where it is off", () =>
    withOperator({}, async ({ run }) => {
      const { code, err } = await run(["shutdown"]);
      assert.equal(code, 1);
      assert.match(err, /^error: .*\n(.*\n)* {2}help: .*\n {2}request: /);
    }));

  it("every --json is the answer of its route", () =>
    withScene(async ({ run }) => {
      const [session] = JSON.parse((await run(["sessions", "list", "--json"])).out).items;
      const cases: [string[], RouteName][] = [
        [["status"], "status"],
        [["backends", "list"], "backends"],
        [["backends", "show", "docs"], "backend"],
        [["backends", "logs", "docs"], "backendLogs"],
        [["backends", "reconnect", "docs"], "reconnect"],
        [["tools", "list"], "capabilities"],
        [["tools", "show", "docs__echo"], "capability"],
        [["events", "list"], "events"],
        [["sessions", "list"], "sessions"],
        [["sessions", "show", session.id], "session"],
        [["sessions", "close", session.id], "closeSession"],
        [["limits", "list"], "limits"],
        [["limits", "top"], "limits"],
        [["kill", "tool", "docs__echo", "--reason", "x"], "kill"],
        [["kill", "list"], "killSwitches"],
        [["kill", "clear", "tool", "docs__echo"], "clearKill"],
        [["diff"], "diff"],
        [["reload"], "reload"],
        [["shutdown"], "shutdown"],
      ];
      for (const [argv, name] of cases) {
        const { out } = await run([...argv, "--json"]);
        const { schema, ...answer } = JSON.parse(out);
        const row: RouteRow = ROUTES[name];
        assert.equal(schema, `mcp-sentinel/v1/${row.schema}`);
        assert.deepEqual(v.parse(row.answer, answer), answer, argv.join(" "));
      }
    }));

  it("lists are whole, unless a limit is given", () =>
    withOperator({}, async ({ run, management }) => {
      const { events } = management.gateway.core.control;
      const log = events.beside({ write: () => {} });
      for (let index = 0; index < 1500; index++) log.write("config.unchanged", { index });
      const all = JSON.parse((await run(["events", "list", "--json"])).out);
      const cursors = all.items.map((item: { cursor: string }) => Number(item.cursor));
      assert.ok(cursors.length >= 1500);
      assert.deepEqual(cursors, cursors.toSorted((one: number, other: number) => one - other));
      assert.equal(new Set(cursors).size, cursors.length);
      assert.equal(all.next, undefined);
      const some = JSON.parse((await run(["events", "list", "--limit", "7", "--json"])).out);
      assert.equal(some.items.length, 7);
      assert.equal(some.next, some.items[6].cursor);
      const more = await run(["events", "list", "--after", some.next, "--limit", "1", "--json"]);
      assert.equal(JSON.parse(more.out).items[0].cursor, String(Number(some.next) + 1));
      const lines = (await run(["events", "list", "--filter", "index:none"])).err;
      assert.match(lines, /unknown field "index"/);
    }));
});

describe("exit codes", () => {
  it("4 for a gateway that is not there or does not answer in time", async () => {
    const gone = await runCli(["status", "--management-port", "1"]);
    assert.equal(gone.code, 4);
    assert.match(gone.err, /^error: .*127\.0\.0\.1:1.*\n {2}help: /);
    await withFake(() => {}, async (port) => {
      const slow = await runCli(["status", "--management-port", port, "--timeout", "50ms"]);
      assert.equal(slow.code, 4);
      assert.match(slow.err, /^error: No answer .* within 0\.05 s\n/);
    });
  });

  it("5 for a token that is missing, wrong, or too weak", () =>
    withOperator({}, async ({ run, url }) => {
      assert.equal((await run(["status"], { token: TOKENS.wrong })).code, 5);
      const weak = await run(["reload"], { token: TOKENS.read });
      assert.equal(weak.code, 5);
      assert.match(weak.err, /\n {2}help: .*\n {2}request: /);
      assert.equal((await runCli(["status", "--management-port", url.port])).code, 5);
      const unset = await run(["status"], { env: { TOKEN: "" } });
      assert.equal(unset.code, 5);
      assert.match(unset.err, /the variable TOKEN, which is not set\n {2}help: export TOKEN=/);
    }));

  it("1 for what is no management API, and its text is never obeyed", () =>
    withFake(
      (_request, response) => {
        const error = { code: "X\u001b", message: "a\u001b[2Jb", request: "r", remedy: "\u009bc" };
        response.writeHead(409, { "content-type": "application/json" });
        response.end(JSON.stringify({ error }));
      },
      async (port) => {
        const { code, err, out } = await runCli(["status", "--management-port", port]);
        assert.equal(code, 1);
        assert.equal(err, "error: a\\x1b[2Jb\n  help: \\x9bc\n  request: r\n");
        const json = await runCli(["status", "--management-port", port, "--json"]);
        assert.doesNotMatch((out + json.out).replaceAll("\n", ""), /\p{Cc}/u);
        assert.equal(JSON.parse(json.out).error, "X\u001b");
      },
    ));

  it("2 for options a command would ignore, and values that are none", async () => {
    const wrong = [
      ["validate", "-p", "x"],
      ["version", "--timeout", "1s"],
      ["status", "--timeout", "soon"],
      ["status", "--management-port", "99999"],
      ["events", "list", "--limit", "0"],
      ["backends", "list", "-o", "yaml"],
      ["kill", "claer"],
      ["status", "--management-host", "http://gateway.example"],
      ["status", "--management-tls-cert", "only.crt"],
    ];
    for (const argv of wrong) assert.equal((await runCli(argv)).code, 2, argv.join(" "));
  });
});

describe("the old way", () => {
  proves("S8", "--no-tui without a verb runs the server, and says so once", async () => {
    const options = ["--management-port", "8810", "--management-token-env", "T"];
    for (const argv of [["--no-tui", ...options], ["server", "--no-tui", ...options]]) {
      const { code, out, err } = await runCli([...argv, "-c", "no.toml"]);
      assert.equal(code, 3);
      assert.equal(out, "");
      assert.equal(err.match(/--no-tui is deprecated/g)?.length, 1);
      assert.match(err, /cannot read "no\.toml"/);
    }
    const behind = await runCli(["up", "-c", "no.toml", "--", "x", "--no-tui"]);
    assert.doesNotMatch(behind.err, /deprecated/);
  });
});

/** A server that answers as the test says. */
async function withFake(
  answer: RequestListener,
  work: (port: string) => Promise<void>,
): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await work(String((server.address() as AddressInfo).port));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
