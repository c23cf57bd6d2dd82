import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { startEchoServer } from "../support/echo_server.ts";
import { modern } from "../support/modern_http.ts";
import { RUNTIME } from "../support/runtime.ts";
import { importsOf, parse } from "../arch/scan.ts";
import { bindingsOf } from "./edges.ts";
import { callSuite } from "./suite_calls.ts";
import { storeSuite } from "./suite_stores.ts";
import { builtBundle, startInWorkerd } from "./workerd.ts";

/** What platforms take without asking for money is counted compressed. */
const MOST_COMPRESSED = 512 * 1024;

interface Module {
  readonly default: { fetch(request: Request, bindings: unknown): Promise<Response> };
}

describe("the bundle for isolates", () => {
  let folder: string;
  let text: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-edge-"));
    text = await builtBundle();
  });
  after(() => rm(folder, { recursive: true }));

  it("is one module that imports nothing, and small enough for every platform", () => {
    assert.deepEqual(importsOf(parse("edge.mjs", text).program), []);
    assert.ok(gzipSync(text).length < MOST_COMPRESSED);
  });

  it("answers calls on this runtime too", async () => {
    const file = join(folder, "edge.mjs");
    await writeFile(file, text);
    const { default: edge } = await import(pathToFileURL(file).href) as Module;
    const echo = await startEchoServer();
    const bindings = bindingsOf({ backends: { echo: echo.url } });
    const { answer } = await modern((request) => edge.fetch(request, bindings), "tools/call", {
      name: "echo__echo",
      arguments: { text: "bundled" },
    });
    assert.equal(answer["result"].content[0].text, "bundled");
    await echo.close();
  });

  // What runs there is the same whatever drives it: once is enough.
  if (RUNTIME === "node") {
    callSuite("in workerd", () => startInWorkerd(text));
    storeSuite("in workerd", () => startInWorkerd(text));
  }
});
