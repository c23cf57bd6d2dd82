/** Everything that `--json` prints is as published: each command is run, and no command has no case. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Io } from "../../cli/io.ts";
import { outputSchema } from "../../cli/output_schema.ts";
import { CLI_OUTPUTS, type CliKind } from "../../src/contract/cli_outputs.ts";
import { fixtureBackend } from "../support/core.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { startHeldBackend } from "../support/held_backend.ts";
import { HttpSession } from "../support/http_session.ts";
import { Client, StreamableHTTPClientTransport, type Transport } from "../support/sdk.ts";
import { allCommands } from "./command_tree.ts";
import { type FakeIoOptions, type Ran, runCli } from "./fake_io.ts";
import { withOperator } from "./operator.ts";
import { problemsOf } from "./published_schema.ts";

const SECRET = "an example of a secret with 32 bytes or more";
const CONFIG = `
[auth]
mode = "jwt"
[[auth.jwt]]
issuer = "https://dev.example.com"
audience = "https://mcp.example.com"
secret = "\${env:JWT_SECRET}"
[roles.developer]
tools = ["f__*"]
[backends.f]
url = "http://127.0.0.1:1/mcp"
`;

/** Where commands run: a folder with files, a gateway with a backend, and who asks. */
interface Scene {
  readonly gateway: Gateway;
  readonly folder: string;
  /** A token that the configuration of the folder takes. */
  readonly token: string;
  /** Id of a call that the audit has. */
  readonly request: string;
  /** Id of an open session. */
  readonly session: string;
}

interface Case {
  readonly argv: (scene: Scene) => readonly string[];
  readonly kind: CliKind;
  /** Printed by commands that follow something; the first line ends them. */
  readonly lines?: true;
  readonly options?: (scene: Scene) => FakeIoOptions;
  /** Default: 0 only. */
  readonly codes?: readonly number[];
}

const plain = (kind: CliKind, ...more: readonly string[]): Case => ({ argv: () => more, kind });
const started: Io["loadHost"] = () =>
  Promise.resolve({
    startGateway: ({ config: { server, management } }) =>
      Promise.resolve({
        url: `http://${server.listen}`,
        managementUrl: `http://${management.listen}`,
        snapshot: () => {
          throw new Error("not asked for");
        },
        fetch: () => Promise.reject(new Error("not asked for")),
        attach: () => Promise.resolve(),
        stdio: () => Promise.resolve(),
        stop: () => Promise.resolve(),
        finished: Promise.resolve(),
      }),
  });

/** By path; in this order, because some change what others look at. */
const CASES: Readonly<Record<string, Case>> = {
  "up": { ...plain("up"), options: () => ({ loadHost: started }) },
  "server": { ...plain("server"), options: () => ({ loadHost: started }) },
  "init": plain("init", "new.toml"),
  "import": plain("import"),
  "connect": plain("connect-advice", "cursor", "--url", "http://127.0.0.1:8808/mcp"),
  "validate": plain("config-check"),
  "doctor": { ...plain("doctor", "--no-start"), codes: [0, 6] },
  "policy test": plain("policy-test", "developer", "f__echo"),
  "auth explain": { ...plain("token-check"), options: ({ token }) => ({ input: token }) },
  "config show": plain("config"),
  "config path": plain("config-path"),
  "config explain": plain("config-key", "server.listen"),
  "info": plain("info"),
  "version": plain("version"),
  "man": plain("man", "--dir", "pages"),
  "token new": plain("token", "--role", "developer"),
  "profile add": plain("profile", "team", "--url", "http://127.0.0.1:1", "--token-env", "ADMIN"),
  "profile list": plain("profile-list"),
  "profile use": plain("profile", "team"),
  "profile test": {
    ...plain("profile-test", "here"),
    argv: () => ["here"],
  },
  "profile remove": plain("profile", "team"),
  "status": plain("status"),
  "backends list": plain("backend-list"),
  "backends show": plain("backend", "f"),
  "backends logs": plain("backend-logs", "f"),
  "tools list": plain("capability-list"),
  "tools show": plain("capability", "f__echo"),
  "tools call": { ...plain("tool-result", "f__echo", "text=hello") },
  "calls tail": { ...plain("call"), lines: true },
  "calls show": { argv: ({ request }) => [request], kind: "call-record" },
  "events list": plain("event-list"),
  "events tail": { ...plain("event", "--after", "0"), lines: true },
  "sessions list": plain("session-list"),
  "sessions show": { argv: ({ session }) => [session], kind: "session" },
  "limits list": plain("limit-list"),
  "limits top": plain("limit-list"),
  "audit search": plain("audit-list"),
  "audit tail": { ...plain("audit"), lines: true },
  "audit export": { ...plain("audit-export"), lines: true },
  "audit verify": plain("audit-verification"),
  "kill list": plain("kill-switch-list"),
  "kill tool": plain("kill", "f__die", "--reason", "x"),
  "kill backend": plain("kill", "f", "--reason", "x"),
  "kill clear": plain("kill", "backend", "f"),
  "tools enable": plain("kill", "f__die"),
  "tools disable": plain("kill", "f__die", "--reason", "x"),
  "backends disable": plain("kill", "f", "--reason", "x"),
  "backends enable": plain("kill", "f"),
  "backends reconnect": plain("operation", "f"),
  "diff": plain("diff"),
  "reload": plain("reload"),
  "sessions close": { argv: ({ session }) => [session], kind: "operation" },
  "shutdown": plain("operation"),
};

/** Commands whose stdout is something else by nature, and one with a scene of its own. */
const EXEMPT: Readonly<Record<string, string>> = {
  "stdio": "speaks MCP",
  "config schema": "prints a JSON Schema",
  "schema": "prints a JSON Schema",
  "completion": "prints a script",
  "tools approve": "needs a changed definition: below",
};

/** Kinds that no case of the table prints; tests below do, and one of `events tail` for gaps. */
const ELSEWHERE: readonly CliKind[] = [
  "approve",
  "connect",
  "connect-links",
  "connect-undo",
  "error",
  "gap",
  "management-token",
];

describe("--json", () => {
  let folder: string;
  let gateway: Gateway;
  let client: Client;
  let scene: Scene;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-json-"));
    const backend = fixtureBackend();
    gateway = await startGateway(
      `[backends.f]\ncommand = ${JSON.stringify(backend["command"])}\n` +
        `args = ${JSON.stringify(backend["args"])}\n[management]\nallow_shutdown = true\n`,
    );
    await writeFile(join(folder, "sentinel.toml"), CONFIG);
    const client = { mcpServers: { docs: { url: "http://127.0.0.1:1/mcp" } } };
    await writeFile(join(folder, ".mcp.json"), JSON.stringify(client));
    scene = { gateway, folder, token: "", request: "", session: "" };
    const { out } = await run(["token", "new", "--role", "developer"]);
    scene = { ...scene, token: out.trim() };
    await run(["profile", "add", "here", "--url", gateway.managementUrl, "--token-env", "ADMIN"]);
    scene = { ...scene, ...await history() };
  });
  after(async () => {
    await client.close();
    await gateway.kill();
    await rm(folder, { recursive: true });
  });

  const run = (argv: readonly string[], options: FakeIoOptions = {}): Promise<Ran> =>
    runCli(argv, {
      cwd: folder,
      ...options,
      env: {
        HOME: folder,
        JWT_SECRET: SECRET,
        ADMIN: gateway.token,
        ...options.env,
      },
    });
  const target = () => [
    ...["--management-port", new URL(gateway.managementUrl).port],
    ...["--management-token-env", "ADMIN"],
  ];

  /** One session that stays, and one call that the audit has. */
  async function history() {
    client = new Client({ name: "t", version: "1" });
    const transport = new StreamableHTTPClientTransport(new URL(gateway.url));
    await client.connect(transport as Transport);
    await client.callTool({ name: "f__echo", arguments: {} });
    for (;;) {
      const sessions = JSON.parse((await run(["sessions", "list", "--json", ...target()])).out);
      const rows = JSON.parse(
        (await run(["audit", "search", "kind:call", "--json", ...target()])).out,
      );
      const [request] = rows.items.map((row: { readonly request: string }) => row.request);
      const id = sessions.items[0]?.id;
      if (request !== undefined && id !== undefined) return { request, session: id };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const remote = new Set(
    allCommands().filter(({ isRemote, options }) =>
      isRemote && options.some(({ group }) => group === "Management:")
    ).map(({ path }) => path),
  );

  /** Runs a command until it has printed a line, while calls are made. */
  async function followed(line: readonly string[]): Promise<Ran> {
    const stop = new AbortController();
    let isOver = false;
    const onOut = () => stop.abort();
    const ran = run(line, { interrupt: stop.signal, onOut }).finally(() => isOver = true);
    while (!isOver) {
      await run(["tools", "call", "f__echo", "-q", ...target()]);
    }
    return await ran;
  }

  it("every command has a case, and every case is a command", () => {
    const known = [...Object.keys(CASES), ...Object.keys(EXEMPT)].sort();
    assert.deepEqual(allCommands().map(({ path }) => path).sort(), known);
  });

  it("every kind of the table is printed by a command", () => {
    const printed = [...Object.values(CASES).map(({ kind }) => kind), ...ELSEWHERE];
    assert.deepEqual([...new Set(printed)].sort(), Object.keys(CLI_OUTPUTS).sort());
  });

  it("connect prints what it wrote, links, and what it took back", async () => {
    await mkdir(join(folder, ".cursor"));
    const url = ["--url", "http://127.0.0.1:8808/mcp"];
    const acts = [["--write", ...url], ["--link", ...url], ["--undo"]];
    const kinds = ["connect", "connect-links", "connect-undo"] as const;
    for (const [index, kind] of kinds.entries()) {
      const { out, err } = await run(["connect", "cursor", ...acts[index] ?? [], "--json"]);
      assert.notEqual(out, "", err);
      assert.deepEqual(problemsOf(kind, JSON.parse(out)), [], out);
    }
  });

  it("the check sees what is missing, wrong, or not published", () => {
    const good = { schema: "mcp-sentinel/v1/init", file: "sentinel.toml" };
    assert.deepEqual(problemsOf("init", good), []);
    const wrong = [
      { ...good, file: 1 },
      { schema: good.schema },
      { ...good, more: true },
      { file: good.file },
      { ...good, schema: "mcp-sentinel/v1/up" },
    ];
    for (const printed of wrong) {
      assert.notDeepEqual(problemsOf("init", printed), [], JSON.stringify(printed));
    }
  });

  it("token new --management prints management-token", async () => {
    const { out } = await run(["token", "new", "--management", "--json"]);
    assert.deepEqual(problemsOf("management-token", JSON.parse(out)), []);
  });

  it("status --watch prints one object a line", async () => {
    const stop = new AbortController();
    const line = ["status", "--watch", "--json", "-p", "here"];
    const { out } = await run(line, { interrupt: stop.signal, onOut: () => stop.abort() });
    for (const text of out.trimEnd().split("\n")) {
      assert.ok(text.startsWith("{"), text);
    }
  });

  it("a failure is an object, too, with its exit code", async () => {
    const wrong = [
      [["backends", "show", "nope", ...target()], 1],
      [["status", "--management-port", "1", "--management-token-env", "ADMIN"], 4],
      [["validate", "missing.toml"], 3],
      [["config", "explain", "nope"], 2],
      [["policy", "test", "nobody", "f__echo"], 2],
    ] as const;
    for (const [argv, expected] of wrong) {
      const { code, out } = await run([...argv, "--json"]);
      assert.equal(code, expected, argv.join(" "));
      const printed = JSON.parse(out);
      assert.deepEqual(problemsOf("error", printed), [], out);
      assert.equal(printed.code, expected);
    }
  });

  it("a wrong configuration is a check with its mistakes", async () => {
    await writeFile(join(folder, "bad.toml"), "[server]\nnmae = 1\n");
    const { code, out } = await run(["validate", "bad.toml", "--json"]);
    assert.equal(code, 3);
    assert.deepEqual(problemsOf("config-check", JSON.parse(out)), []);
    const failed = await run(["config", "show", "-c", "bad.toml", "--json"]);
    assert.deepEqual(problemsOf("error", JSON.parse(failed.out)), [], failed.out);
  });

  it("tools approve prints approve", async () => {
    const changing = await startHeldBackend();
    try {
      await withOperator({ config: { backends: { h: changing.config } } }, async (operator) => {
        const { core } = operator.management.gateway;
        await (await HttpSession.open(core.fetch)).request("tools/list");
        const { tool } = await changing.hold(core.control, "h");
        const { out, err } = await operator.run([
          ...["tools", "approve", "h__t", "--hash", tool, "--yes", "--json"],
        ]);
        assert.notEqual(out, "", err);
        assert.deepEqual(problemsOf("approve", JSON.parse(out)), []);
      });
    } finally {
      await changing.close();
    }
  });

  it("schema prints what is published, whole or by kind", async () => {
    assert.deepEqual(JSON.parse((await run(["schema"])).out), plainJson(outputSchema()));
    const { out } = await run(["schema", "status"]);
    assert.equal(JSON.parse(out).properties.schema.const, "mcp-sentinel/v1/status");
    const { code, err } = await run(["schema", "statsu"]);
    assert.equal(code, 2);
    assert.match(err, /did you mean status\?/);
  });

  // At the end, because the last case ends the gateway.
  for (const [path, { argv, kind, lines, options, codes = [0] }] of Object.entries(CASES)) {
    it(`${path} prints ${kind}`, async () => {
      const own = remote.has(path) ? target() : [];
      const line = [...path.split(" "), ...argv(scene), "--json", ...own];
      const ran = lines === true ? await followed(line) : await run(line, options?.(scene) ?? {});
      if (lines !== true) assert.ok(codes.includes(ran.code), `${ran.code} ${ran.out}${ran.err}`);
      const printed = lines === true ? ran.out.trimEnd().split("\n") : [ran.out];
      assert.ok(printed[0] !== "", `nothing on stdout: ${ran.err}`);
      for (const text of printed) assert.deepEqual(problemsOf(kind, JSON.parse(text)), [], text);
    });
  }
});

function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
