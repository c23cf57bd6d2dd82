import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { parseDuration } from "../../src/contract/units.ts";
import { readSource, ROOT } from "../arch/source_files.ts";
import { parse } from "../config/parsing.ts";
import { proves } from "../support/proves.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { last, stagesOf } from "./containerfile.ts";
import { readYaml, SCRAPES } from "./shipped.ts";

const FOLDER = "deploy/compose/";
const SECRETS = "/run/secrets/";

interface Service {
  readonly image?: string;
  readonly build?: Readonly<Record<"context" | "dockerfile" | "target", string>>;
  readonly restart?: string;
  readonly profiles?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly network_mode?: string;
  readonly stop_grace_period?: string;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const { services, volumes } = readYaml(`${FOLDER}compose.yaml`) as ComposeFile;
const gateway = services["gateway"] ?? {};

describe("compose file", () => {
  proves("G10.2", "starts gateway and Postgres, each checked, started again, and in order", () => {
    const always = Object.entries(services).filter(([, { profiles }]) => profiles === undefined);
    assert.deepEqual(always.map(([name]) => name).sort(), ["gateway", "postgres", "secrets"]);
    assert.deepEqual(gateway.depends_on, {
      secrets: { condition: "service_completed_successfully" },
      postgres: { condition: "service_healthy" },
    });
    for (const [name, { restart, healthcheck }] of Object.entries(services)) {
      if (name === "secrets") continue;
      assert.equal(restart, "unless-stopped", name);
      assert.equal(healthcheck?.test[0], "CMD", name);
    }
  });

  it("keeps Redis and observability for those who ask for them", () => {
    const profiles = Object.entries(services).flatMap(([name, { profiles = [] }]) =>
      profiles.map((profile) => `${profile}: ${name}`)
    );
    assert.deepEqual(profiles.sort(), [
      "observability: grafana",
      "observability: prometheus",
      "redis: redis",
    ]);
  });

  it("names images by version, and files and volumes that are there", () => {
    for (const [name, { image = "", volumes: mounts = [] }] of Object.entries(services)) {
      assert.match(image, /^[\w/-]+:(?!latest)[\w.-]+$/, name);
      for (const mount of mounts) {
        const [source = ""] = mount.split(":");
        if (source.startsWith(".")) assert.ok(existsSync(join(ROOT, FOLDER, source)), mount);
        else assert.ok(source in volumes, mount);
      }
    }
    const used = Object.values(services).flatMap(({ volumes: mounts = [] }) =>
      mounts.map((mount) => mount.split(":")[0])
    );
    assert.deepEqual(Object.keys(volumes).filter((name) => !used.includes(name)), []);
  });

  it("builds and checks the image as its own file says", async () => {
    const { context = "", dockerfile = "", target } = gateway.build ?? {};
    const file = readSource(dockerfile);
    assert.ok(existsSync(join(ROOT, FOLDER, context, dockerfile)));
    const stages = stagesOf(file);
    const image = stages.find(({ name }) => name === target);
    assert.ok(image !== undefined, target);
    const check = last(stages, image, "HEALTHCHECK") ?? "";
    assert.deepEqual(gateway.healthcheck?.test, [
      "CMD",
      ...JSON.parse(check.slice(check.indexOf("["))) as string[],
    ]);
    const { drain_timeout } = (await config()).config.server;
    assert.ok((parseDuration(gateway.stop_grace_period ?? "") ?? 0) >= drain_timeout + 10_000);
  });

  it("keeps everything but the endpoint for clients off the network", () => {
    const ports = Object.entries(services).flatMap(([name, { ports = [] }]) =>
      ports.map((port) => `${name} ${port}`)
    );
    assert.deepEqual(ports, [
      "gateway ${BIND:-127.0.0.1}:8808:8808",
      "grafana ${BIND:-127.0.0.1}:3000:3000",
    ]);
    assert.equal(services["prometheus"]?.network_mode, "service:gateway");
  });

  it("makes every secret that is used, once, for those who may read it", () =>
    inFolder((folder) => {
      const [bin, secrets] = [join(folder, "bin"), join(folder, "secrets")];
      for (const one of [bin, secrets]) mkdirSync(one);
      writeFileSync(join(bin, "chown"), "#!/bin/sh\n", { mode: 0o755 });
      const make = () =>
        spawnSync("/bin/sh", [`${ROOT}${FOLDER}make_secrets.sh`, secrets], {
          encoding: "utf8",
          env: { PATH: `${bin}:${process.env["PATH"]}` },
        });
      assert.deepEqual([make().status, make().stderr], [0, ""]);
      const contents = readdirSync(secrets).map((name) => {
        const path = join(secrets, name);
        assert.equal(statSync(path).mode & 0o777, 0o440, name);
        return readFileSync(path, "utf8");
      });
      for (const content of contents) assert.match(content, /^[0-9a-f]{64}$/);
      assert.equal(new Set(contents).size, contents.length);
      assert.equal(make().status, 0);
      assert.deepEqual(
        readdirSync(secrets).map((name) => readFileSync(join(secrets, name), "utf8")),
        contents,
      );
      assert.deepEqual(readdirSync(secrets).sort(), usedSecrets());
    }));

  it("has a configuration without notices, with the database of the other service", async () => {
    const { config: { audit, server, auth, management }, notices } = await config();
    assert.deepEqual(notices, []);
    const { POSTGRES_USER: user, POSTGRES_DB: database } = services["postgres"]?.environment ?? {};
    assert.equal(
      audit.url,
      `postgres://${user}:secret-of-postgres_password@postgres:5432/${database}`,
    );
    assert.equal(server.listen, "0.0.0.0:8808");
    assert.equal(auth.mode, "jwt");
    assert.equal(management.listen, "127.0.0.1:8809");
  });

  it("shows Grafana where Prometheus and the dashboards are", () => {
    const provisioning = "deploy/grafana/provisioning/";
    const { datasources: [source] } = readYaml(`${provisioning}datasources/prometheus.yaml`);
    // Prometheus is in the network of the gateway, and has its name.
    assert.equal(new URL(source.url).hostname, "gateway");
    const { providers: [provider] } = readYaml(`${provisioning}dashboards/mcp-sentinel.yaml`);
    const mounts = services["grafana"]?.volumes ?? [];
    assert.ok(mounts.includes(`../grafana/dashboards:${provider.options.path}:ro`));
    assert.ok(existsSync(`${ROOT}deploy/grafana/dashboards/mcp-sentinel.json`));
  });
});

/** The configuration as the gateway in the container reads it. */
async function config() {
  return await parse(readSource(`${FOLDER}config/sentinel.toml`), {
    env: { PUBLIC_URL: "http://localhost:8808" },
    readFile: (path) => {
      assert.ok(path.startsWith(SECRETS), path);
      const text = `secret-of-${path.slice(SECRETS.length)}`;
      return Promise.resolve({ text: text.includes("postgres") ? text : text.padEnd(64, "x") });
    },
  });
}

/** Names of secrets in all files of this set-up. */
function usedSecrets(): readonly string[] {
  const files = [`${FOLDER}compose.yaml`, `${FOLDER}config/sentinel.toml`, SCRAPES];
  const found = files.flatMap((file) =>
    [...readSource(file).matchAll(/\/run\/secrets\/(\w+)/g)].map(([, name = ""]) => name)
  );
  return [...new Set(found)].sort();
}
