/** Calls through a gateway from the command line, followed live and looked up afterwards. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fixtureBackend } from "../support/core.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type FakeIoOptions, runCli } from "./fake_io.ts";

describe("calls of the command line", () => {
  let gateway: Gateway;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-calls-"));
    const backend = fixtureBackend();
    gateway = await startGateway(
      `[backends.f]\ncommand = ${JSON.stringify(backend["command"])}\n` +
        // Only a connection of its own tells a backend whom it may ask.
        `args = ${JSON.stringify(backend["args"])}\ninstances = "per-session"\n`,
    );
  });
  after(async () => {
    await gateway.stop();
    await rm(folder, { recursive: true });
  });

  const target = () => [
    ...["--management-port", new URL(gateway.managementUrl).port],
    ...["--management-token-env", "ADMIN"],
  ];
  const run = (argv: readonly string[], options: FakeIoOptions = {}) =>
    runCli([...argv, ...target()], {
      cwd: folder,
      ...options,
      env: { HOME: folder, ADMIN: gateway.token, ...options.env },
    });
  const call = (argv: readonly string[], options: FakeIoOptions = {}) =>
    run(["tools", "call", ...argv], options);

  describe("tools call", () => {
    it("prints the result on stdout and the rest on stderr", async () => {
      const { code, out, err } = await call(["f__echo", "text=hi", "count=3", "deep=[1]"]);
      assert.equal(code, 0, err);
      assert.deepEqual(JSON.parse(out), { text: "hi", count: 3, deep: [1] });
      assert.match(err, /f__echo answered in \d/);
    });

    it("takes JSON from an option or stdin, and pairs on top", async () => {
      const { out } = await call(["f__echo", "b=2", "--args", '{"a":1,"b":1}']);
      assert.deepEqual(JSON.parse(out), { a: 1, b: 2 });
      const piped = await call(["f__echo", "--args", "-"], { input: '{"from":"stdin"}' });
      assert.deepEqual(JSON.parse(piped.out), { from: "stdin" });
      const wrong = await call(["f__echo", "novalue"]);
      assert.equal(wrong.code, 2);
      assert.match(wrong.err, /"novalue" is no argument of a tool/);
    });

    it("shows progress and log lines as they come", async () => {
      const progress = await call(["f__progress", "steps=3"]);
      assert.equal(progress.code, 0, progress.err);
      assert.match(progress.err, /progress 1\/3\nprogress 2\/3\nprogress 3\/3\n/);
      assert.equal((await call(["f__progress", "steps=3", "-q"])).err, "");
    });

    it("puts a question of the tool to the person, field by field", async () => {
      const params = {
        mode: "form",
        message: "who \u001b[2Jare you?",
        requestedSchema: {
          type: "object",
          properties: {
            name: { type: "string", title: "Your name" },
            age: { type: "integer" },
            color: { type: "string", enum: ["red", "blue"], default: "red" },
          },
          required: ["name", "age"],
        },
      };
      const args = JSON.stringify({ method: "elicitation/create", params });
      const asked: string[] = [];
      const answers = ["y", "anna", "many", "7", ""];
      const ask = (question: string) => {
        asked.push(question);
        return Promise.resolve(answers.shift() ?? "");
      };
      const { code, out, err } = await call(["f__ask", "--args", args], { ask });
      assert.equal(code, 0, err);
      assert.deepEqual(JSON.parse(out), {
        action: "accept",
        content: { name: "anna", age: 7, color: "red" },
      });
      assert.match(err, /The tool asks: who \\x1b\[2Jare you\?/);
      assert.match(err, /write a whole number/);
      assert.equal(asked.length, 5);
      const declined = await call(["f__ask", "--args", args], { ask: () => Promise.resolve("n") });
      assert.deepEqual(JSON.parse(declined.out), { action: "decline" });
    });

    it("where nobody is, the tool is told that nobody can be asked", async () => {
      const params = {
        mode: "form",
        message: "?",
        requestedSchema: { type: "object", properties: {} },
      };
      const args = JSON.stringify({ method: "elicitation/create", params });
      const { out, err } = await call(["f__ask", "--args", args]);
      assert.match(`${out}${err}`, /code/);
      assert.doesNotMatch(out, /accept/);
    });

    it("a tool that fails, a name that is not there and an endpoint that is gone differ", async () => {
      const lost = await call(["f__die", "code=3"]);
      assert.equal(lost.code, 1);
      assert.match(lost.err, /error: .*\n/);
      const missing = await call(["f__ecoh"]);
      assert.equal(missing.code, 1);
      assert.match(missing.err, /there is no tool "f__ecoh"\n {2}help: did you mean f__echo\?/);
      const gone = await call(["f__echo", "--url", "http://127.0.0.1:1/mcp"]);
      assert.equal(gone.code, 4, gone.err);
      const clear = await call(["f__echo", "--url", "http://gateway.example/mcp"]);
      assert.equal(clear.code, 2);
      assert.match(clear.err, /unencrypted/);
    });

    it("Ctrl-C cancels the call", async () => {
      const stop = new AbortController();
      const waiting = call(["f__wait"], { interrupt: stop.signal });
      const isRunning = async () => {
        const { out } = await run(["backends", "show", "f", "--json"]);
        return JSON.parse(out).inFlight > 0;
      };
      while (!await isRunning()) await new Promise((resolve) => setTimeout(resolve, 10));
      stop.abort();
      assert.equal((await waiting).code, 130);
    });

    it("harmless text only reaches a terminal", async () => {
      const { out } = await call(["f__echo", "--args", '{"x":"\\u001b[2J\\u202e"}'], {
        terminal: true,
      });
      assert.doesNotMatch(out.replaceAll("\n", ""), /[\p{Cc}\u202e]/u);
    });
  });

  describe("calls", () => {
    /** The row of the call that was made last. */
    const lastRequest = async (): Promise<string> => {
      for (;;) {
        const { out } = await run(["audit", "search", "kind:call", "-n", "1", "--json"]);
        const [row] = JSON.parse(out).items;
        if (row !== undefined) return row.request;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };

    it("tail prints what the filter lets through, as it ends", async () => {
      const stop = new AbortController();
      const options = { interrupt: stop.signal, onOut: () => stop.abort() };
      let isOver = false;
      const tail = run(["calls", "tail", "tool:f__progress"], options).finally(() => isOver = true);
      while (!isOver) {
        await call(["f__echo"]);
        await call(["f__progress", "steps=1"]);
      }
      const { code, out } = await tail;
      assert.equal(code, 130);
      assert.doesNotMatch(out, /f__echo/);
      assert.match(
        out,
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ ok {13}– → f__progress \(f\) \d.*s [0-9a-f-]{36}\n/,
      );
    });

    it("tail refuses a wrong filter with the suggestion of the gateway", async () => {
      const { code, err } = await run(["calls", "tail", "outcom:ok"]);
      assert.equal(code, 2, err);
      assert.match(err, /did you mean "outcome"\?/);
    });

    it("show prints what the audit has of one, by its id or the beginning of it", async () => {
      await call(["f__echo", "text=hi"]);
      const request = await lastRequest();
      const { code, out, err } = await run(["calls", "show", request]);
      assert.equal(code, 0, err);
      assert.ok(out.startsWith(`${request}\n  what      tools/call f__`), out);
      assert.match(out, /when {6}\d{4}-.*, for \d/);
      assert.match(out, /\nWHO\n {2}principal {3}anonymous\n/);
      assert.match(out, /\nWHERE TO\n {2}backend +f\n/);
      assert.match(out, /\nRECORD\n {2}row {8}\d+ of run [0-9a-f-]{36}\n/);
      const short = await run(["calls", "show", request.slice(0, -1)]);
      assert.equal(short.out.split("\n")[0], request);
    });

    it("show reads the store of a configuration without its gateway", async () => {
      const request = await lastRequest();
      const { code, out, err } = await runCli(["calls", "show", request, "-c", gateway.config], {
        env: { XDG_STATE_HOME: gateway.home, XDG_CONFIG_HOME: gateway.home },
      });
      assert.equal(code, 0, err);
      assert.ok(out.startsWith(request));
    });

    it("show knows what may have been meant, and what is no id", async () => {
      const request = await lastRequest();
      const last = request.at(-1) === "0" ? "1" : "0";
      const wrong = await run(["calls", "show", request.slice(0, -1) + last]);
      assert.equal(wrong.code, 1);
      assert.match(
        wrong.err,
        /the audit has no request .*\n {2}help: did you mean [0-9a-f-]{36}\?/,
      );
      const none = await run(["calls", "show", "\u001b[2J"]);
      assert.equal(none.code, 2);
      assert.match(none.err, /"\\x1b\[2j" is no id of a request/);
      await call(["f__echo"]);
      await call(["f__echo"]);
      const many = await run(["calls", "show", request.slice(0, 6)]);
      assert.equal(many.code, 2);
      assert.match(many.err, /several requests begin with /);
    });
  });

  it("disable and enable are kill switches by another name", async () => {
    const unasked = await run(["tools", "disable", "f__die"]);
    assert.equal(unasked.code, 2);
    assert.match(unasked.err, /needs a reason/);
    const off = await run(["tools", "disable", "f__die", "--reason", "INC-7"]);
    assert.match(off.out, /^disabled tool f__die on .*\n {2}covers 1 tool now\n {2}undo: (.*)\n$/);
    assert.match(off.out, /undo: mcp-sentinel tools enable f__die\n/);
    const refused = await call(["f__die", "code=1"]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /INC-7/);
    const on = await run(["tools", "enable", "f__die"]);
    assert.match(
      on.out,
      /^enabled tool f__die .*\n.*\n {2}undo: mcp-sentinel tools disable f__die --reason INC-7\n$/,
    );
    await run(["kill", "tool", "f__d*", "--reason", "x"]);
    const covered = await run(["tools", "enable", "f__die"]);
    assert.equal(covered.code, 1);
    assert.match(
      covered.err,
      /"f__d\*" covers it\n {2}help: mcp-sentinel kill clear tool 'f__d\*'/,
    );
    assert.equal((await run(["kill", "clear", "tool", "f__d*"])).code, 0);
    const backend = await run(["backends", "disable", "f", "--reason", "x"]);
    assert.match(backend.out, /undo: mcp-sentinel backends enable f\n/);
    assert.equal((await call(["f__echo"])).code, 1);
    assert.equal((await run(["backends", "enable", "f"])).code, 0);
    assert.equal((await call(["f__echo"])).code, 0);
  });

  it("sign-in: without a token 5, with one by reference the result", async () => {
    const secret = "an example of a secret with 32 bytes or more";
    const backend = fixtureBackend();
    const config = `[auth]\nmode = "jwt"\n[[auth.jwt]]\nissuer = "dev"\naudience = "a"\n` +
      `secret = "\${env:JWT_SECRET}"\n[roles.user]\ntools = ["*"]\n` +
      `[backends.f]\ncommand = ${JSON.stringify(backend["command"])}\n` +
      `args = ${JSON.stringify(backend["args"])}\n`;
    const env = { JWT_SECRET: secret };
    const guarded = await startGateway(config, { env });
    try {
      await writeFile(join(folder, "signed.toml"), config);
      const made = ["token", "new", "--role", "user", "-c", "signed.toml"];
      const token = (await runCli(made, { cwd: folder, env })).out.trim();
      await writeFile(join(folder, "token.txt"), `${token}\n`, { mode: 0o600 });
      const at = (argv: readonly string[], more: Record<string, string> = {}) =>
        runCli(["tools", "call", "f__echo", "a=1", "--url", guarded.url, ...argv], {
          cwd: folder,
          env: more,
        });
      const refused = await at([]);
      assert.equal(refused.code, 5, refused.err);
      assert.equal((await at([], { SENTINEL_TOKEN: token })).code, 0);
      assert.equal((await at(["--token-env", "T"], { T: token })).code, 0);
      const { code, out, err } = await at(["--token-file", "token.txt"]);
      assert.equal(code, 0, err);
      assert.deepEqual(JSON.parse(out), { a: 1 });
      assert.equal((await at(["--token-file", "missing"])).code, 5);
    } finally {
      await guarded.stop();
    }
  });
});
