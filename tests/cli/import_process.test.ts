import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { RunningProgram } from "../support/running_program.ts";
import { commandOf, executable, REPOSITORY } from "../support/runtime.ts";
import { Client, StreamableHTTPClientTransport } from "../support/sdk.ts";
import { asPerson, type Person } from "./import_setup.ts";

const TIMEOUT = { timeout: 120_000 };
const SECRET = "a secret of 'just' 33 characters!";

/** Starts only with the credential that its client gave it. */
const CHECKED = `if (process.env.SERVICE_TOKEN?.length !== ${SECRET.length}) process.exit(1);` +
  `await import(${JSON.stringify(join(REPOSITORY, "tests/fixtures/backend.mjs"))})`;
const ENTRY = {
  command: executable("node"),
  args: ["--input-type=module", "-e", CHECKED],
  env: { SERVICE_TOKEN: SECRET },
};

/** The real program in the person's project, with a text on its stdin. */
async function run(person: Person, argv: readonly string[], input: string) {
  const { command, args } = commandOf("cli/main.ts", argv);
  const child = spawn(command, args, {
    cwd: person.project,
    env: environment(person),
    stdio: "pipe",
  });
  const seen = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (seen.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (seen.err += text));
  child.stdin.end(input);
  const [code] = await once(child, "close") as [number | null];
  return { code, ...seen };
}

function environment({ home }: Person): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: home, NO_COLOR: "1" };
}

describe("import as a process", () => {
  it(
    "what was piped into it is a server that clients call",
    TIMEOUT,
    () =>
      asPerson(async (person) => {
        const listen = '[server]\nlisten = "127.0.0.1:0"\n[management]\nlisten = "127.0.0.1:0"\n';
        person.write("project/sentinel.toml", listen);
        const input = JSON.stringify({ mcpServers: { service: ENTRY } });
        const { code, out, err } = await run(person, ["import", "-", "--write"], input);
        assert.equal(code, 0, err);
        assert.ok(!`${out}${err}${person.read("project/sentinel.toml")}`.includes(SECRET));
        if (process.platform !== "win32") {
          assert.equal(statSync(join(person.project, "sentinel.env")).mode & 0o777, 0o600);
        }
        const gateway = new RunningProgram(
          commandOf("cli/main.ts", ["server", "--json"]),
          environment(person),
          person.project,
        );
        try {
          const [, url = ""] = await gateway.printed(/"url": "(http:\/\/127\.0\.0\.1:\d+\/mcp)"/);
          const client = new Client({ name: "test", version: "1" });
          await client.connect(new StreamableHTTPClientTransport(new URL(url)));
          const answer = await client.callTool({ name: "service__echo", arguments: { a: 1 } });
          assert.deepEqual(answer.content, [{ type: "text", text: '{"a":1}' }]);
          await client.close();
        } finally {
          await gateway.stop();
        }
      }),
  );
});
