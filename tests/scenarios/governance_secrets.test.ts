/** Credentials of a gateway that runs, told by backends wherever they can: they appear in no output of it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { stringify } from "smol-toml";
import { type RouteRow, ROUTES } from "../../src/contract/manage/mod.ts";
import { SPELLINGS } from "../config/spellings.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type HttpFixture, serveHttp } from "../support/http_fixture.ts";
import { HttpSession, overHttp, post } from "../support/http_session.ts";
import { executable, REPOSITORY } from "../support/runtime.ts";
import { secretKey, tokenOf } from "../core/auth/tokens.ts";
import { until } from "./until.ts";

const LIMIT_MS = 20_000;
const random = (bytes: number) => randomBytes(bytes).toString("base64url");

/** What must not be seen; new in each run. */
const SECRETS = {
  LEAK_TOKEN: `sk-${random(20)}/"é ${random(6)}`,
  LEAK_PASSWORD: random(15),
  WEB_KEY: random(30),
  JWT_SECRET: random(40),
};

/** Values for the parameters of routes. */
const PARAMS: Readonly<Record<string, string>> = {
  ":name": "leaky",
  ":kind": "tool",
  ":id": "0123456789ab",
  ":scope": "backends",
  ":instance": "none",
};

describe("credentials", () => {
  let gateway: Gateway;
  let web: HttpFixture;
  let bearer: string;
  const basic = `Basic ${Buffer.from(`user:${SECRETS.LEAK_PASSWORD}`).toString("base64")}`;

  before(async () => {
    web = await serveHttp((request, response) => {
      const key = String(request.headers["x-api-key"]);
      const all = Object.values(SPELLINGS).map((spell) => spell(key)).join(" ");
      response.writeHead(500, { "content-type": `text/plain; ${key}`, "location": `/${key}` });
      response.end(`Refused ${all}`);
    });
    gateway = await startGateway(
      stringify({
        auth: {
          mode: "jwt",
          jwt: [{ issuer: "idp", audience: "me", secret: "${env:JWT_SECRET}" }],
        },
        roles: { default: { tools: ["*"] } },
        telemetry: { log: { level: "debug" } },
        backends: {
          leaky: {
            command: executable("node"),
            args: [join(REPOSITORY, "tests/fixtures/leaky_backend.ts")],
            env: {
              LEAK_TOKEN: "${env:LEAK_TOKEN}",
              LEAK_PASSWORD: "${env:LEAK_PASSWORD}",
              LEAK_BASIC: basic,
            },
          },
          web: { url: web.url.href, headers: { "X-Api-Key": "${env:WEB_KEY}" } },
        },
      }).replace(basic, "${env:LEAK_BASIC}"),
      { env: { ...SECRETS, LEAK_BASIC: basic } },
    );
    const key = secretKey("HS256", SECRETS.JWT_SECRET);
    const claims = { aud: "me", sub: "anna" };
    bearer = await tokenOf(key, { issuer: "idp", now: Date.now(), claims });
  });
  after(async () => {
    await gateway.stop();
    await web.close();
  });

  const ask = async (path: string) => {
    const headers = { authorization: `Bearer ${gateway.token}` };
    const answer = await fetch(gateway.managementUrl + path, { headers });
    return `${path}: ${[...answer.headers].join()} ${await answer.text()}`;
  };

  /** Everything that can be read of the control plane. */
  async function managed(): Promise<string[]> {
    const rows: readonly RouteRow[] = Object.values(ROUTES);
    const readable = rows.filter(({ method, answers }) => method === "GET" && answers !== "events");
    const paths = readable.map(({ path }) =>
      path.replace(/:[a-z]+/g, (param) => PARAMS[param] ?? param)
    );
    return await Promise.all([...paths, "/manage/v1/backends/web"].map(ask));
  }

  async function filed(): Promise<string[]> {
    const entries = await readdir(gateway.home, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    assert.ok(files.some(({ name }) => name === "state.sqlite"), "there is no state");
    return await Promise.all(files.map(async ({ parentPath, name }) => {
      const bytes = await readFile(join(parentPath, name)).catch(() => Buffer.of());
      return `${name}: ${bytes.toString("utf8")} ${bytes.toString("latin1")}`;
    }));
  }

  async function use(): Promise<string[]> {
    const session = await HttpSession.open(overHttp(gateway.url), {
      headers: { authorization: `Bearer ${bearer}` },
    });
    await until(async () => {
      const { tools } = (await session.request("tools/list"))["result"];
      assert.equal(tools.length > 0, true);
    }, LIMIT_MS);
    for (const name of ["fail", "tell", SECRETS.LEAK_PASSWORD]) {
      await session.call(`leaky__${name}`, {});
    }
    const lost = await session.call("leaky__die", {});
    const web = await session.call("web__none", {});
    const stolen = await post(overHttp(gateway.url), {}, { authorization: `Bearer ${bearer}x` });
    return [JSON.stringify(lost), JSON.stringify(web), await stolen.text()];
  }

  it("of backends and clients are in no log, no answer to operators, no file", async () => {
    const answers = await use();
    await gateway.printed(/"event":"backend.failed"[^\n]*"backend":"web"/);
    await until(async () => {
      const events = await ask("/manage/v1/events?limit=1000");
      assert.match(events, /"exit|backend\.(exited|failed)[^}]*leaky/);
    }, LIMIT_MS);
    const outputs = [...answers, `stderr: ${gateway.stderr}`, ...await managed(), ...await filed()];
    assert.ok(outputs.some((text) => text.includes("«secret»")), "nothing was masked at all");
    const hits = outputs.flatMap((text) =>
      Object.entries({ ...SECRETS, bearer, basic }).flatMap(([name, secret]) => {
        const spelled = Object.keys(SPELLINGS)
          .filter((spelling) => text.includes(SPELLINGS[spelling]?.(secret) ?? ""));
        return spelled.length === 0 ? [] : [`${name} ${spelled[0]} in ${text.slice(0, 40)}`];
      })
    );
    // What was approved is found again by the tool's name, so that one is kept as it is.
    const isName = (hit: string) => hit.startsWith("LEAK_PASSWORD as it is in state.sqlite");
    assert.deepEqual(hits.filter((hit) => !isName(hit)), []);
  });
});
