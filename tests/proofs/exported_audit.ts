/** The audit of a gateway as an operator gets it: waits for what is on its way, verifies the chain, exports. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import type { AuditRecord } from "../../src/contract/audit.ts";
import { until } from "../scenarios/until.ts";
import { commandOf, type Runtime } from "../support/runtime.ts";
import { ADMIN_TOKEN, type ManagedGateway, READ_TOKEN } from "./managed_gateway.ts";

const WAIT_MS = 60_000;

/** Waits until the store has every row. @throws AssertionError after a minute */
export async function delivered(gateway: ManagedGateway): Promise<void> {
  await until(async () => {
    const { body } = await gateway.ask("/status");
    const { written, committed, queued, dropped } = body.audit;
    assert.equal(written, committed + queued + dropped);
    // The rows of asking come after the answer.
    assert.equal(queued, 0);
  }, WAIT_MS);
}

/**
 * What `mcp-sentinel audit export` prints; the chain is verified on the way. The gateway must have been stopped.
 * @throws AssertionError when the chain is broken
 */
export function exportedAudit(gateway: ManagedGateway, runtime?: Runtime): AuditRecord[] {
  const verify = audit(gateway, ["verify"], runtime);
  assert.equal(verify.status, 0, `audit verify: ${verify.stdout}${verify.stderr}`);
  const { stdout, status, stderr } = audit(gateway, ["export", "--all"], runtime);
  assert.equal(status, 0, stderr);
  return stdout.split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line) as AuditRecord);
}

function audit(gateway: ManagedGateway, args: readonly string[], runtime: Runtime | undefined) {
  const all = ["audit", ...args, "--config", gateway.file];
  const { command, args: given } = commandOf("cli/main.ts", all, runtime);
  const env = {
    ...process.env,
    XDG_STATE_HOME: gateway.folder,
    XDG_CONFIG_HOME: gateway.folder,
    PROOF_ADMIN: ADMIN_TOKEN,
    PROOF_READ: READ_TOKEN,
  };
  return spawnSync(command, given, { env, encoding: "utf8", maxBuffer: 1 << 30 });
}
