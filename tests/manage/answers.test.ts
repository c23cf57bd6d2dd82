import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import * as v from "valibot";
import {
  ErrorAnswer,
  type RouteName,
  type RouteRow,
  ROUTES,
} from "../../src/contract/manage/mod.ts";
import { type RunningServer, startEchoServer } from "../support/echo_server.ts";
import { type HeldBackend, startHeldBackend } from "../support/held_backend.ts";
import { HttpSession } from "../support/http_session.ts";
import { type Json, startManagement, type TestManagement, TOKENS } from "../support/management.ts";
import { proves } from "../support/proves.ts";
import { callRow, chained, FIRST_RUN, storeWith } from "./audit_store.ts";

const BASE = "/manage/v1";
const JSON_ROUTES = (Object.keys(ROUTES) as RouteName[]).filter((name) =>
  ROUTES[name].answers === "json"
);

describe("answers of the management API over HTTP", () => {
  let management: TestManagement;
  let echo: RunningServer;
  let changing: HeldBackend;
  let url: URL;
  let folder: string;
  afterEach(async () => {
    await management.stop();
    await rm(folder, { recursive: true });
    await echo.close();
    await changing.close();
  });

  async function start(): Promise<HttpSession> {
    echo = await startEchoServer();
    changing = await startHeldBackend();
    folder = await mkdtemp(join(tmpdir(), "answers-"));
    management = await startManagement({
      audit: await storeWith(folder, chained([callRow(1)])),
      config: {
        audit: { retention: "36500d" },
        backends: {
          a: { url: echo.url },
          h: changing.config,
          off: { url: echo.url, enabled: false },
        },
        kill: { tools: ["z__*"], reason: "by file" },
        toolsets: { few: { tools: ["a__*"] } },
        roles: { some: { tools: ["a__*"], deny: ["*__die"] }, none: { prompts: ["*"] } },
        management: { allow_shutdown: true },
      },
    });
    url = await management.listen();
    const session = await HttpSession.open(management.gateway.core.fetch);
    await session.request("tools/list");
    return session;
  }

  /** Asks as a program would, and holds the answer against the table. */
  async function request(name: RouteName, target: string, body?: unknown) {
    const row: RouteRow = ROUTES[name];
    const response = await fetch(new URL(target, url), {
      method: row.method,
      headers: {
        authorization: `Bearer ${TOKENS.admin}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    const json: Json = await response.json();
    assert.equal(response.status, 200, JSON.stringify(json));
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
    // Nothing is missing, and nothing is said that the table does not know.
    assert.deepEqual(v.parse(row.answer, json), json, name);
    return json;
  }

  proves(["S2"], "every route answers what the table says", async () => {
    const session = await start();
    assert.equal((await session.call("a__echo", { text: "x" }))["error"], undefined);
    const held = await changing.hold(management.gateway.core.control, "h");
    const [opened] = (await request("sessions", `${BASE}/sessions`)).items;
    const targets: Partial<Record<RouteName, readonly [string, unknown?]>> = {
      health: [`${BASE}/health`],
      live: ["/health"],
      ready: ["/ready"],
      openapi: [`${BASE}/openapi.json`],
      status: [`${BASE}/status`],
      backends: [`${BASE}/backends`],
      backend: [`${BASE}/backends/a`],
      backendLogs: [`${BASE}/backends/a/logs`],
      reconnect: [`${BASE}/backends/a/reconnect`, {}],
      capabilities: [`${BASE}/capabilities`],
      refused: [`${BASE}/capabilities/refused`],
      capability: [`${BASE}/capabilities/tool/a__echo`],
      approve: [`${BASE}/tools/h__t/approve`, { hash: held.tool }],
      approvePrompt: [`${BASE}/prompts/h__p/approve`, { hash: held.prompt }],
      events: [`${BASE}/events`],
      sessions: [`${BASE}/sessions`],
      session: [`${BASE}/sessions/${opened.id}`],
      closeSession: [`${BASE}/sessions/${opened.id}`],
      audit: [`${BASE}/audit`],
      auditRuns: [`${BASE}/audit/runs`],
      auditRun: [`${BASE}/audit/runs/${FIRST_RUN}`],
      limits: [`${BASE}/limits`],
      killSwitches: [`${BASE}/kill-switches`],
      kill: [`${BASE}/kill-switches/tools/a__echo`, { reason: "INC-7" }],
      clearKill: [`${BASE}/kill-switches/tools/a__echo`],
      config: [`${BASE}/config`],
      diff: [`${BASE}/config/diff`, {}],
      reload: [`${BASE}/reload`, {}],
      logLevel: [`${BASE}/log-level`, { level: "debug" }],
      shutdown: [`${BASE}/shutdown`, {}],
    };
    assert.deepEqual(Object.keys(targets).toSorted(), JSON_ROUTES.toSorted());
    const answers = new Map<RouteName, Json>();
    for (const name of JSON_ROUTES) {
      const [target = "", body] = targets[name] ?? [];
      const answer = await request(name, target, body);
      answers.set(name, answer);
      if (!["health", "live", "ready", "openapi"].includes(name)) {
        const { revision } = answer;
        assert.equal(typeof revision, "number", name);
      }
    }
    assert.equal(answers.get("status").endpoint, "http://127.0.0.1:8808/mcp");
    assert.equal(answers.get("status").sessions, 1);
    const names = (name: RouteName) => answers.get(name).items.map((item: Json) => item.name);
    assert.deepEqual(names("backends"), ["a", "h", "off"]);
    assert.deepEqual(names("capabilities"), ["h__p", "a__echo", "h__t"]);
    assert.deepEqual(names("limits"), ["a__echo"]);
    assert.deepEqual(answers.get("capability").toolsets, ["few"]);
    assert.deepEqual(answers.get("capability").roles, ["some"]);
    assert.equal(answers.get("capability").definition.name, "a__echo");
    assert.equal(answers.get("reconnect").outcome, "applied");
    assert.equal(answers.get("kill").matches, 1);
    assert.equal(answers.get("reload").outcome, "unchanged");
    assert.equal(management.gateway.stopWanted, true);
    const acts = management.gateway.journal.entries.map((entry) =>
      entry.kind === "operation.outcome" ? entry.operation.operation : undefined
    );
    assert.deepEqual(acts.filter((act) => act !== undefined), [
      "reconnect",
      "reconnect",
      "approve",
      "approve",
      "close_session",
      "kill",
      "clear",
      "reload",
      "log_level",
      "shutdown",
    ]);
  });

  proves(["S1"], "the status is plain JSON whose revision grows with every change", async () => {
    await start();
    const before = await request("status", `${BASE}/status`);
    const kill = await request("kill", `${BASE}/kill-switches/tools/q`, { reason: "x" });
    const after = await request("status", `${BASE}/status`);
    assert.ok(kill.before >= before.revision);
    assert.ok(kill.revision > kill.before);
    assert.ok(after.revision >= kill.revision);
    assert.equal(after.killSwitches, before.killSwitches + 1);
  });

  test("errors have the form of the table, with the remedy of the case", async () => {
    await start();
    const cases: [string, string, number, string][] = [
      ["GET", `${BASE}/backends/b`, 404, "NOT_FOUND"],
      ["GET", `${BASE}/nowhere`, 404, "NOT_FOUND"],
      ["PUT", `${BASE}/reload`, 405, "BAD_HTTP"],
      ["GET", `${BASE}/events?after=99999`, 410, "CURSOR_UNKNOWN"],
      ["DELETE", `${BASE}/kill-switches/tools/z__*`, 409, "CONFLICT"],
      ["DELETE", `${BASE}/kill-switches/prompts/z`, 404, "NOT_FOUND"],
      ["GET", `${BASE}/backends?limit=x`, 400, "INVALID_PARAMS"],
    ];
    for (const [method, path, status, code] of cases) {
      const response = await fetch(new URL(path, url), {
        method,
        headers: { authorization: `Bearer ${TOKENS.admin}` },
      });
      const json = await response.json();
      const { error } = v.parse(ErrorAnswer, json);
      assert.deepEqual(json, { error });
      assert.deepEqual([response.status, error.code], [status, code], path);
      assert.match(error.request, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      assert.ok(!/`data\./.test(error.remedy), error.remedy);
    }
  });

  test("a rejected configuration comes back with its mistakes", async () => {
    await start();
    management.gateway.source.write({ backends: 7 });
    for (const [path, name] of [["reload", "reload"], ["config/diff", "diff"]] as const) {
      const response = await fetch(new URL(`${BASE}/${path}`, url), {
        method: ROUTES[name].method,
        headers: { authorization: `Bearer ${TOKENS.admin}` },
      });
      const { error } = v.parse(ErrorAnswer, await response.json());
      assert.deepEqual([response.status, error.code], [422, "CONFIG_INVALID"]);
      assert.equal(error.issues?.length, 1);
    }
  });

  test("a body that is too large is not read", async () => {
    await start();
    const response = await fetch(new URL(`${BASE}/reload`, url), {
      method: "POST",
      headers: {
        authorization: `Bearer ${TOKENS.admin}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ reason: "x".repeat(70_000) }),
    });
    const { error } = v.parse(ErrorAnswer, await response.json());
    assert.deepEqual([response.status, error.code], [413, "TOO_LARGE"]);
  });

  test("metrics are text in the format that was asked for", async () => {
    await start();
    const response = await fetch(new URL("/metrics", url), {
      headers: {
        authorization: `Bearer ${TOKENS.read}`,
        accept: "application/openmetrics-text; version=1.0.0",
      },
    });
    assert.match(response.headers.get("content-type") ?? "", /^application\/openmetrics-text/);
    assert.match(await response.text(), /# EOF\n$/);
  });
});
