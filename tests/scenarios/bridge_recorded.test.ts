import assert from "node:assert/strict";
import { describe } from "node:test";
import type { CallRecord } from "../../src/contract/manage/mod.ts";
import { startCore } from "../support/core.ts";
import { TestJournal, TestSink } from "../support/audit.ts";
import { HttpSession } from "../support/http_session.ts";
import { serveModern } from "../support/modern_backend.ts";
import { proves } from "../support/proves.ts";
import { startAskingBackend } from "./bridge_backend.ts";
import { Person } from "./bridge_person.ts";

const TIMEOUT = { timeout: 60_000 };

describe("a call between the eras, as operators see it", () => {
  proves("X1", "is one row, one event and one record, which say what was crossed", async () => {
    const legacy = await startAskingBackend();
    const modern = await serveModern();
    const audit = { journal: new TestJournal(), sink: new TestSink() };
    const gateway = await startCore({
      backends: {
        legacy: { url: legacy.url.href, instances: "per-session" },
        modern: { url: modern.url.href },
      },
    }, { audit });
    const records: CallRecord[] = [];
    gateway.core.control.onCall((record) => void records.push(record));

    const anna = new Person(gateway, { tool: "legacy__ask", mark: "anna" });
    const asked = await anna.answer(await anna.call(), "one");
    await anna.answer(asked, "two");
    const session = await HttpSession.open(gateway.core.fetch);
    await session.call("modern__steps");
    await gateway.stop();
    await Promise.all([legacy.close(), modern.close()]);

    const crossed = [
      {
        era: "modern",
        protocol: "2026-07-28",
        backendProtocol: "2025-11-25",
        bridge: "modern-to-legacy",
        rounds: 2,
      },
      {
        era: "legacy",
        protocol: "2025-11-25",
        backendProtocol: "2026-07-28",
        bridge: "legacy-to-modern",
        rounds: undefined,
      },
    ];
    const told = (one: Partial<CallRecord>) => {
      const { era, protocol, backendProtocol, bridge, rounds } = one;
      return { era, protocol, backendProtocol, bridge, rounds };
    };
    assert.deepEqual(audit.sink.rows().map(told), crossed);
    assert.deepEqual(records.map(told), crossed);
    const events = gateway.log.filter(({ event }) => event === "call.finished");
    const calls = events.filter(({ fields }) => fields["bridge"] !== undefined);
    assert.deepEqual(calls.map(({ fields: { bridge, rounds } }) => ({ bridge, rounds })), [
      { bridge: "modern-to-legacy", rounds: 2 },
      { bridge: "legacy-to-modern", rounds: undefined },
    ]);
  }, TIMEOUT);
});
