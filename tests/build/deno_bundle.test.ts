/** The program as Deno's executable holds it, under `deno run` with the executable's own permissions. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildCli } from "../../.ci/build/bundles.ts";
import { type Permission, permissionFlags, PERMISSIONS } from "../../cli/permissions.ts";
import { readSource } from "../arch/source_files.ts";
import { type RunningServer, startEchoServer } from "../support/echo_server.ts";
import { executable } from "../support/runtime.ts";
import { CHILD, exerciseGateway, exerciseStdio, exerciseStores } from "./exercises.ts";
import { type Form, LISTENING, Place } from "./place.ts";

describe("permissions of Deno's executable", () => {
  it("stand in its documentation, with the reason for each", () => {
    const page = readSource("docs/executables.md");
    for (const { kind, why } of PERMISSIONS) {
      assert.ok(page.includes(`| \`--allow-${kind}\` | ${why} |`), kind);
    }
    for (const flag of permissionFlags([])) assert.ok(page.includes(`\`${flag}\``), flag);
  });
});

describe("bundle for Deno with the least permissions", () => {
  let folder: string;
  let file: string;
  let echo: RunningServer;
  const allowing = (permissions: readonly Permission[]): Form => (argv) => ({
    command: executable("deno"),
    args: ["run", "--no-config", ...permissionFlags(permissions), file, ...argv],
  });
  const form = allowing(PERMISSIONS);
  const without = (kind: Permission["kind"]) =>
    allowing(PERMISSIONS.filter((permission) => permission.kind !== kind));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-deno-bundle-"));
    file = join(folder, "mcp-sentinel.js");
    echo = await startEchoServer();
    await buildCli(folder, { followed: true });
  });
  after(async () => {
    await echo.close();
    await rm(folder, { recursive: true });
  });

  it("serves HTTP and stdio backends, obeys its operator, drains and has recorded all of it", () =>
    Place.with(form, (place) => exerciseGateway(place, echo.url)));

  it("serves a client on stdin and stdout", () => Place.with(form, exerciseStdio));

  it("holds the drivers of stores and the language of rules", () =>
    Place.with(form, (place) => exerciseStores(place, echo.url)));

  const codes = { net: 1, read: 3, write: 1, env: 1, sys: 1 };
  for (const kind of Object.keys(codes) as (keyof typeof codes)[]) {
    it(`without ${kind} it says what is missing, asks for nothing and shows no trace`, () =>
      Place.with(without(kind), async (place) => {
        const config = await place.configure({ backends: { web: { url: echo.url } } });
        const { code, stdout, stderr } = await place.run("server", "-c", config, "--json");
        assert.equal(code, codes[kind], stderr);
        assert.match(stdout + stderr, new RegExp(`Requires ${kind} access to`));
        assert.match(stdout + stderr, new RegExp(`--allow-${kind}`));
        assert.doesNotMatch(stderr, /^ {4}at /m);
      }));
  }

  it("without run the backend that needs a process says so, and the others work", () =>
    Place.with(without("run"), async (place) => {
      const config = await place.configure({ backends: { web: { url: echo.url }, child: CHILD } });
      const gateway = place.start("server", "-c", config, "--json");
      await gateway.printed(LISTENING);
      const child = await place.json("backends", "show", "child");
      assert.match(child.lastError, /run access/);
      const web = await place.json("backends", "show", "web");
      assert.equal(web.state, "ready");
    }));
});
