/** The harness itself: every act of a scriptable backend, of both eras and wires, through a real gateway; the laws hold. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { delivered, exportedAudit } from "../../proofs/exported_audit.ts";
import { ManagedGateway } from "../../proofs/managed_gateway.ts";
import { until } from "../../scenarios/until.ts";
import { childBackend, readLedger } from "./child_backend.ts";
import { LedgerLoad } from "./ledger_load.ts";
import { laws, type RowC, rowsOf } from "./ledgers.ts";
import type { Act } from "./script.ts";
import { ScriptedBackend } from "./scripted_backend.ts";

const BACKENDS = ["http", "sessions", "modern", "child", "modern_child"] as const;
const ACTS: readonly Act["do"][] = [
  "answer",
  "fail",
  "refuse",
  "twice",
  "stream",
  "ask",
  "noise",
  "hang",
];
const CALLS = BACKENDS.length * ACTS.length;
const DEADLINE_MS = 2000;

describe("a scriptable backend behind a gateway", () => {
  it("does what each call says; every call is in the ledgers as the laws want", {
    timeout: 120_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "script-"));
    const ledger = join(folder, "child.ledger");
    await using plain = await ScriptedBackend.start();
    await using sessions = await ScriptedBackend.start({ sessions: true });
    await using modern = await ScriptedBackend.start({ era: "modern" });
    const gateway = await ManagedGateway.start({
      server: { request_timeout: `${DEADLINE_MS}ms` },
      backends: {
        http: { url: plain.urlOf("mcp").href },
        sessions: { url: sessions.urlOf("mcp").href },
        modern: { url: modern.urlOf("mcp").href },
        child: childBackend({ ledger }),
        modern_child: childBackend({ ledger, args: ["--era", "modern"] }),
      },
    });
    try {
      await until(async () => {
        const { body } = await gateway.ask("/backends?filter=state:ready");
        assert.equal(body.items.length, BACKENDS.length);
      }, 30_000);
      const load = await LedgerLoad.start({
        url: gateway.url,
        tools: BACKENDS.map((name) => `${name}__call`),
        rate: 200,
        act: (number) => ({
          do: ACTS[Math.floor(number / BACKENDS.length) % ACTS.length] ?? "hang",
        }),
      });
      await until(() => assert.ok(load.ends.length >= CALLS), 60_000);
      const c = await load.stop();
      await delivered(gateway);
      await gateway.stop();
      const b = [...plain.ledger, ...sessions.ledger, ...modern.ledger, ...readLedger(ledger)];
      const a = rowsOf(exportedAudit(gateway));
      assert.deepEqual(laws({ a, b, c }, { deadlineMs: DEADLINE_MS }), []);
      assert.equal(b.length, c.length);
      for (const end of c) assert.equal(outcomeOf(end), wanted(end), JSON.stringify(end));
    } finally {
      await gateway.remove();
      await rm(folder, { recursive: true });
    }
  });
});

function wanted({ nonce, tool }: RowC): string {
  const act = ACTS[Math.floor(Number(nonce) / BACKENDS.length) % ACTS.length] ?? "answer";
  // These clients say that they cannot be asked; legacy backends are told so and go on.
  if (act === "ask" && tool.startsWith("modern")) return "error isError";
  return FAILURES[act] ?? "answered";
}

const FAILURES: Partial<Record<Act["do"], string>> = {
  fail: "error",
  refuse: "error isError",
  hang: "error BACKEND_TIMEOUT",
};

function outcomeOf({ outcome, name }: RowC): string {
  return name === undefined ? outcome : `${outcome} ${name}`;
}
