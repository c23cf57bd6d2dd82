import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { stringify } from "smol-toml";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { proves } from "../support/proves.ts";
import { packaged, runPackaged } from "../support/servers.ts";
import type { Json } from "./clients.ts";
import { stopAll } from "./stop_all.ts";

const RUN_MS = 30_000;
const TIMEOUT = { timeout: 90_000 };

describe("Inspector in CLI mode", () => {
  let home: string;
  let gateway: Gateway;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), "inspector-"));
    const { command, args } = packaged("everything", ["stdio"]);
    gateway = await startGateway(stringify({ backends: { demo: { command, args: [...args] } } }));
  }, TIMEOUT);

  after(async () => {
    await stopAll([gateway?.stop, () => rm(home, { recursive: true, force: true })]);
  });

  proves("G2.3", "Streamable HTTP front, lists the tools", async () => {
    const { tools } = await inspect(gateway.url, "http", ["--method", "tools/list"]);
    const names = (tools as Json[]).map((tool) => tool["name"]);
    assert.ok(names.includes("demo__get-sum"), String(names));
  }, TIMEOUT);

  for (const transport of ["http", "sse"] as const) {
    proves("G8.2", `${transport} front, calls a tool`, async () => {
      const url = transport === "http" ? gateway.url : gateway.sseUrl;
      const result = await inspect(url, transport, [
        ...["--method", "tools/call", "--tool-name", "demo__get-sum"],
        ...["--tool-args-json", '{"a":2,"b":40}'],
      ]);
      assert.deepEqual(result, {
        content: [{ type: "text", text: "The sum of 2 and 40 is 42." }],
      });
    }, TIMEOUT);
  }

  async function inspect(url: string, transport: string, args: readonly string[]): Promise<Json> {
    const options = ["--cli", url, "--transport", transport, "--format", "json"];
    const { code, stdout, stderr } = await runPackaged(
      "inspector",
      [...options, ...args],
      home,
      RUN_MS,
    );
    assert.equal(code, 0, stderr);
    return (JSON.parse(stdout) as { result: Json }).result;
  }
});
