import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { parse, stringify } from "smol-toml";
import { readSource, ROOT } from "../arch/source_files.ts";
import { callTool, connect } from "../scenarios/clients.ts";
import { until } from "../scenarios/until.ts";
import { PostgresServer } from "../support/postgres.ts";
import { proves } from "../support/proves.ts";
import { RunningProgram } from "../support/running_program.ts";
import { executable } from "../support/runtime.ts";
import { copyOf, last, said, type Stage, stagesOf } from "./containerfile.ts";

const FILE = "deploy/Containerfile";
const STAGES = stagesOf(readSource(FILE));
const USER = "65532:65532";
const WAIT_MS = 60_000;

function stage(name: string): Stage {
  const found = STAGES.find((one) => one.name === name);
  assert.ok(found !== undefined, name);
  return found;
}

describe("container image", () => {
  it("ends with the small one, which has the program, Node and nothing of the build", () => {
    const slim = stage("slim");
    assert.equal(STAGES.at(-1)?.base, "slim");
    assert.equal(STAGES.at(-1)?.instructions.length, 0);
    assert.match(slim.base, /^debian:\w+-slim$/);
    const copies = slim.instructions.filter(({ word }) => word === "COPY").map(({ rest }) =>
      copyOf(rest)
    );
    assert.ok(copies.length >= 3);
    for (const { from, sources } of copies) {
      assert.equal(from, "build");
      for (const source of sources) {
        assert.match(source, /^\/(?:build\/dist|usr\/local\/bin\/node)/);
      }
    }
  });

  it("runs without rights, is looked after, and ends in order", () => {
    for (const name of ["slim", "stdio"]) {
      const image = stage(name);
      assert.equal(last(STAGES, image, "USER"), USER, name);
      assert.equal(last(STAGES, image, "STOPSIGNAL"), "SIGTERM", name);
      assert.match(
        last(STAGES, image, "HEALTHCHECK") ?? "",
        /CMD \["mcp-sentinel", "status", "--quiet"\]$/,
      );
      assert.equal(last(STAGES, image, "CMD"), '["server"]', name);
      assert.match(last(STAGES, image, "ENTRYPOINT") ?? "", /"mcp-sentinel"\]$/, name);
    }
    // Somebody has to reap what processes of backends leave behind.
    assert.equal(last(STAGES, stage("stdio"), "ENTRYPOINT"), '["tini", "--", "mcp-sentinel"]');
    assert.match(said(STAGES, stage("stdio"), "RUN").join("\n"), / tini/);
  });

  it("gets nothing but what its build asks for", () => {
    const ignored = readSource(`${FILE}.dockerignore`).trim().split("\n");
    const asked = stage("build").instructions.filter(({ word }) => word === "COPY")
      .flatMap(({ rest }) => copyOf(rest).sources);
    assert.deepEqual(ignored, ["*", ...asked.map((source) => `!${source}`)]);
  });
});

describe("container image, outside of a container", () => {
  let folder: string;
  let program: string;
  let postgres: PostgresServer | undefined;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "sentinel-image-"));
    program = buildIn(folder);
    postgres = await PostgresServer.start();
  }, { timeout: 120_000 });

  after(async () => {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function run(args: readonly string[], env: Readonly<Record<string, string>>) {
    return spawnSync(program, args, { encoding: "utf8", cwd: folder, env });
  }

  proves(
    ["G10.1", "G10.2"],
    "what its steps build serves the configuration of Compose, is healthy, and drains",
    async () => {
      const { env, config, database } = await prepare(folder, postgres);
      const gateway = new RunningProgram(
        { command: program, args: ["server", "--config", config, "--json"] },
        env,
      );
      try {
        const [, url = ""] = await gateway.printed(/"url":\s*"(http:[^"]+)"/);
        const health = ["status", "--quiet"];
        await until(() => {
          const { status, stdout, stderr } = run(health, env);
          assert.equal(status, 0, stdout + stderr);
        }, WAIT_MS);

        const unsigned = await fetch(url, { method: "POST", body: "{}" });
        assert.equal(unsigned.status, 401);
        const token = run(["token", "new", "--role", "admin", "--config", config], env);
        assert.equal(token.status, 0, token.stderr);
        const headers = { authorization: `Bearer ${token.stdout.trim()}` };
        const client = await connect({ http: url, headers });
        const answer = await callTool(client, "everything__echo", { text: "hello" });
        assert.match(JSON.stringify(answer), /hello/);
        await client.close();

        const { code } = await gateway.stop();
        assert.equal(code, 143);
        assert.equal(run(health, env).status, 4);
        const rows = await postgres?.run(database, "select tool from sentinel_audit_calls");
        assert.deepEqual(rows, [{ tool: "everything__echo" }]);
      } finally {
        await gateway.kill();
      }
    },
    { timeout: 120_000 },
  );
});

/** The steps of the stages `build` and `slim`, below a folder; path of the program. */
function buildIn(folder: string): string {
  const build = join(folder, "build");
  mkdirSync(build);
  const env = { ...process.env, PATH: `${dirname(executable("node"))}:${process.env["PATH"]}` };
  for (const { word, rest } of stage("build").instructions) {
    if (word === "COPY") copyInto(build, rest);
    if (word !== "RUN") continue;
    if (rest.startsWith("npm ci ")) symlinkSync(`${ROOT}node_modules`, join(build, "node_modules"));
    else {
      const { status, stderr } = spawnSync("/bin/sh", ["-c", rest], {
        cwd: build,
        env,
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
    }
  }
  const image = join(folder, "image");
  for (const { word, rest } of stage("slim").instructions) {
    if (word !== "COPY") continue;
    const { sources, target } = copyOf(rest);
    for (const source of sources) {
      if (!source.startsWith("/build/")) continue;
      const to = target.endsWith("/") ? join(target, basename(source)) : target;
      cpSync(join(folder, source), join(image, to), { recursive: true });
    }
  }
  // The sources and their packages are not there any more.
  rmSync(build, { recursive: true });
  const linked = /ln -s (\S+) \/usr\/local\/bin\/mcp-sentinel/.exec(
    said(STAGES, stage("slim"), "RUN").join("\n"),
  );
  return join(image, linked?.[1] ?? "");
}

function copyInto(build: string, rest: string): void {
  const { sources, target } = copyOf(rest);
  for (const source of sources) {
    const to = target.endsWith("/") ? join(build, target, basename(source)) : join(build, target);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(ROOT + source, to, { recursive: true });
  }
}

/** The configuration of Compose, with addresses, secrets and a backend of this machine. */
async function prepare(folder: string, postgres: PostgresServer | undefined) {
  assert.ok(postgres !== undefined);
  const secrets = join(folder, "secrets");
  makeSecrets(folder, secrets);
  const database = await postgres.database();
  const text = readSource("deploy/compose/config/sentinel.toml")
    .replaceAll("/run/secrets/", `${secrets}/`);
  const { server, audit, ...tables } = parse(text) as Record<string, Record<string, unknown>>;
  const config = join(folder, "sentinel.toml");
  const everything = {
    command: executable("node"),
    args: [`${ROOT}tests/fixtures/backend.mjs`],
  };
  writeFileSync(
    config,
    stringify({
      ...tables,
      server: { ...server, listen: "0.0.0.0:0" },
      management: { ...tables["management"], listen: "127.0.0.1:0" },
      backends: { everything },
      audit: { ...audit, url: "${env:DATABASE_URL}" },
    }),
    { mode: 0o600 },
  );
  const env = {
    // The program begins with `env node`.
    PATH: `${dirname(executable("node"))}:${process.env["PATH"]}`,
    XDG_STATE_HOME: join(folder, "state"),
    HOME: join(folder, "home"),
    PUBLIC_URL: "http://localhost:8808",
    DATABASE_URL: database,
  };
  mkdirSync(env.XDG_STATE_HOME, { mode: 0o700 });
  return { env, config, database };
}

/** As the service `secrets` does, but for the users that are not there. */
function makeSecrets(folder: string, secrets: string): void {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  mkdirSync(secrets);
  writeFileSync(join(bin, "chown"), "#!/bin/sh\n", { mode: 0o755 });
  const { status, stderr } = spawnSync(
    "/bin/sh",
    [`${ROOT}deploy/compose/make_secrets.sh`, secrets],
    { encoding: "utf8", env: { PATH: `${bin}:${process.env["PATH"]}` } },
  );
  assert.equal(status, 0, stderr);
}
