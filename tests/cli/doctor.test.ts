import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Check } from "../../src/contract/diagnosis.ts";
import { TOKENS } from "../support/management.ts";
import type { Ran } from "./fake_io.ts";
import { type Operator, withOperator } from "./operator.ts";

/** What `doctor --json` says of the gateway it was pointed to. */
function gatewayRows({ out }: Ran): readonly Check[] {
  const { items } = JSON.parse(out) as { readonly items: readonly Check[] };
  return items.filter(({ section }) => section === "gateway");
}

describe("doctor, pointed to a gateway", () => {
  let home: string;

  before(() => {
    home = mkdtempSync(join(tmpdir(), "sentinel-doctor-"));
  });

  after(() => rmSync(home, { recursive: true, force: true }));

  /** In a folder without configuration, with state of its own. */
  const look = (operator: Operator, token?: string) =>
    operator.run(["doctor", "--json"], {
      cwd: home,
      env: { HOME: home, XDG_STATE_HOME: home },
      ...(token === undefined ? {} : { token }),
    });

  it("says how it is, that it runs another version and what is switched off", () =>
    withOperator({}, async (operator) => {
      const why = { reason: "INC-1" };
      await operator.management.ask("PUT", "/manage/v1/kill-switches/tools/x", {
        token: TOKENS.admin,
        body: why,
      });

      const ran = await look(operator);

      const rows = gatewayRows(ran).map(({ level, text, cure = "" }) => ({ level, text, cure }));
      assert.equal(ran.code, 0);
      assert.match(rows[0]?.text ?? "", /^ready, up \d+s, 0\.0\.0-test on node 24\.0\.0/);
      assert.equal(rows[1]?.level, "warn");
      assert.match(rows[1].text, /^it runs 0\.0\.0-test, this command is \d+\.\d+\.\d+/);
      assert.equal(rows[2]?.text, "1 kill switch set");
      assert.equal(rows[2].cure, "mcp-sentinel kill list");
    }));

  it("fails with what to do when its token is not taken", () =>
    withOperator({}, async (operator) => {
      const ran = await look(operator, TOKENS.wrong);

      const [row] = gatewayRows(ran);
      assert.equal(ran.code, 6);
      assert.equal(row?.level, "fail");
      assert.match(row.text, /token|sign/i);
      assert.ok((row.cure ?? "") !== "");
    }));

  it("fails when it is gone", async () => {
    let gone: Operator | undefined;
    await withOperator({}, (operator) => {
      gone = operator;
      return Promise.resolve();
    });
    assert.ok(gone !== undefined);

    const ran = await look(gone);

    const [row] = gatewayRows(ran);
    assert.equal(ran.code, 6);
    assert.equal(row?.level, "fail");
  });

  it("tells of circuits that are open", () =>
    withOperator({
      control: {
        backends: () => [{
          name: "one",
          alias: "one",
          kind: "http",
          state: "ready",
          since: "2026-11-20T14:02:11.000Z",
          stderr: [],
          restarts: 0,
          tools: 1,
          prompts: 0,
          resources: 0,
          templates: 0,
          inFlight: 0,
          queued: 0,
          circuit: { state: "open", tools: [] },
          lost: [],
          links: 1,
          traffic: { callsPerMinute: 0, errorRatio: 0 },
          dropped: { foreign: 0, duplicate: 0, late: 0, invalid: 0, unattributed: 0 },
        }],
      },
    }, async (operator) => {
      const rows = gatewayRows(await look(operator));

      const [row] = rows.filter(({ text }) => text.includes("circuit"));
      assert.equal(row?.text, 'the circuit of backend "one" is open: calls fail too often');
      assert.equal(row.cure, "mcp-sentinel backends show one");
    }));
});
