import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { importProblem, isPure, layerOf, LAYERS } from "./layers.ts";
import { forbiddenUses, importsOf, parse } from "./scan.ts";
import { readSource, sourceFiles } from "./source_files.ts";

function problemsOf(file: string, text: string): string[] {
  const { program } = parse(file, text);
  const imports = importsOf(program).map((found) => importProblem(file, found));
  const uses = isPure(file) ? forbiddenUses(program).map((name) => `must not use ${name}`) : [];
  return [...imports.filter((problem) => problem !== undefined), ...uses];
}

/** Each must be found: file, text, what the finding says. */
const PLANTED: readonly (readonly [string, string, RegExp])[] = [
  ["src/core/a.ts", 'import { serve } from "../hosts/serve.ts";', /core must not import hosts/],
  ["src/core/a.ts", 'import type { S } from "../hosts/s.ts";', /core must not import hosts/],
  ["src/core/a.ts", 'export * from "../config/mod.ts";', /core must not import config/],
  ["src/core/a.ts", 'export { x } from "../config/mod.ts";', /core must not import config/],
  ["src/core/a.ts", 'const x = await import("../config/mod.ts");', /core must not import config/],
  ["src/core/a.ts", 'type X = import("../config/mod.ts").X;', /core must not import config/],
  ["src/core/a.ts", "const x = await import(name);", /must not compute/],
  ["src/core/a.ts", 'import "../../tests/x.ts";', /belongs to no layer/],
  ["src/core/a.ts", 'import { b } from "./b";', /needs its \.ts ending/],
  ["src/core/a.ts", 'import { b } from "./b.js";', /needs its \.ts ending/],
  ["src/core/a.ts", 'import { readFile } from "node:fs/promises";', /no runtime builtins/],
  ["src/core/a.ts", 'import x from "npm:valibot";', /not an npm package/],
  ["src/core/a.ts", 'import { request } from "undici";', /package "undici"/],
  ["src/core/a.ts", 'import { Client } from "@modelcontextprotocol/sdk/c.js";', /only types/],
  ["src/ports/a.ts", 'import { ERRORS } from "../contract/mod.ts";', /only types of contract/],
  ["src/stores/redis/a.ts", 'import { b } from "../memory/b.ts";', /sibling "memory"/],
  ["cli/a.ts", 'import { compose } from "../src/hosts/compose.ts";', /cli must not import hosts/],
  ["cli/a.ts", 'const x = await import("../src/hosts/other.ts");', /cli must not import hosts/],
  ["cli/a.ts", 'import { run } from "../src/core/mod.ts";', /cli must not import core/],
  ["src/new/a.ts", 'import { b } from "./b.ts";', /belongs to no layer/],
  ["src/core/a.ts", "const at = Date.now();", /Date\.now/],
  ["src/core/a.ts", 'const at = Date["now"]();', /Date\.now/],
  ["src/core/a.ts", "const at = new Date();", /Date\(\)/],
  ["src/core/a.ts", "const x = Math.random();", /Math\.random/],
  ["src/core/a.ts", "const id = crypto.randomUUID();", /crypto\.randomUUID/],
  ["src/core/a.ts", "const run = { later: setTimeout };", /setTimeout/],
  ["src/core/a.ts", "globalThis.setInterval(f, 1);", /setInterval/],
  ["src/core/a.ts", "const s = AbortSignal.timeout(5);", /AbortSignal\.timeout/],
  ["src/core/a.ts", 'await fetch("https://example.org");', /fetch/],
  ["src/core/a.ts", "const send = { fetch };", /fetch/],
  ["src/core/a.ts", "const x = Buffer.from(text) as Uint8Array;", /Buffer/],
  ["src/config/a.ts", "const home = process.env.HOME;", /process/],
  ["src/hosts/edge/a.ts", 'import { hash } from "node:crypto";', /no runtime builtins/],
  ["src/hosts/edge/a.ts", 'import { VERSION } from "../serve.ts";', /edge must not import hosts/],
  [
    "src/hosts/edge/a.ts",
    'import { x } from "../../stores/redis/bus.ts";',
    /must not import stores/,
  ],
  ["src/hosts/a.ts", 'import edge from "./edge/mod.ts";', /hosts must not import edge/],
];

/** None may be found: file, text. */
const ALLOWED: readonly (readonly [string, string])[] = [
  ["src/core/a/b.ts", 'import { ERRORS } from "../../contract/mod.ts";'],
  ["src/core/a.ts", 'import type { Tool } from "@modelcontextprotocol/sdk/types.js";'],
  ["src/core/a.ts", 'import { type Tool } from "@modelcontextprotocol/sdk/types.js";'],
  ["src/core/a.ts", "// Date.now()\nconst text = 'setTimeout'; const quote = /[\"']/;"],
  ["src/core/a.ts", "const core = { fetch(request: Request) { return request; } }; core.fetch(r);"],
  ["src/core/a.ts", "function send(fetch: typeof globalThis.fetch) { return fetch(url); }"],
  ["src/core/a.ts", "const day = new Date(ms); const at = clock.now();"],
  ["src/ports/a.ts", 'import type { ErrorName } from "../contract/mod.ts";'],
  ["src/stores/memory/a.ts", 'import { b } from "./b.ts";\nimport { c } from "node:fs";'],
  ["src/hosts/node/a.ts", 'import { request } from "undici"; setTimeout(f, 1); process.exit();'],
  ["src/hosts/edge/a.ts", 'import { VERSION } from "../version.ts"; const at = Date.now();'],
  ["cli/a.ts", 'const { compose } = await import("../src/hosts/compose.ts");'],
  ["cli/commands/a.ts", 'import manifest from "../../package.json" with { type: "json" };'],
];

describe("layers", () => {
  for (const [file, text, expected] of PLANTED) {
    it(`find the violation in ${file}: ${text}`, () => {
      const problems = problemsOf(file, text);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });
  }

  for (const [file, text] of ALLOWED) {
    it(`accept ${file}: ${text}`, () => assert.deepEqual(problemsOf(file, text), []));
  }

  it("name each folder once, so that a file has one layer", () => {
    const folders = Object.values(LAYERS).map((layer) => layer.folder);
    assert.equal(new Set(folders).size, folders.length);
    for (const [name, { folder }] of Object.entries(LAYERS)) {
      assert.equal(layerOf(`${folder}/x.ts`), name);
    }
  });

  it("hold in every source file", () => {
    const files = sourceFiles("src", "cli");
    assert.ok(files.length >= 30, `saw only ${files.length} files`);
    const problems = files.flatMap((file) =>
      problemsOf(file, readSource(file)).map((problem) => `${file}: ${problem}`)
    );
    assert.deepEqual(problems, []);
  });
});
