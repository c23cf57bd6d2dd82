import { existsSync } from "node:fs";
import { Connection } from "./connection.ts";
import type { Options, RuntimeName } from "./options.ts";
import type { Pinning } from "./pinning.ts";
import { start } from "./process.ts";
import { PROGRAMS, run } from "./runtimes.ts";
import { Session } from "./session.ts";
import { gateways, type Role } from "./targets.ts";

/** Times since spawn in milliseconds, the best of all starts. */
export interface StartUp {
  readonly runtime: RuntimeName;
  readonly role: Role | "trivial" | "executable";
  readonly listeningMs: number;
  readonly initializedMs: number;
}

interface Starter {
  readonly role: StartUp["role"];
  readonly command: readonly string[];
}

/** Starts a trivial server and the gateway's programs in turn, `options.starts` times each. */
export async function measureStartUp(
  config: string,
  { options, pinning }: { options: Options; pinning: Pinning },
): Promise<StartUp[]> {
  const results: StartUp[] = [];
  for (const runtime of options.runtimes) {
    const trivial: Starter = { role: "trivial", command: run(runtime, PROGRAMS.trivial) };
    const rows = [trivial, ...gateways(runtime, config), ...executables(runtime, config)]
      .map(({ role, command }) => ({ role, command, tries: [] as Times[] }));
    for (let n = 0; n < options.starts; n++) {
      for (const { command, tries } of rows) {
        tries.push(await timeStart(pinning.onTargetCore(command)));
      }
    }
    results.push(...rows.map(({ role, tries }) => ({ runtime, role, ...best(tries) })));
  }
  return results;
}

/** The one that was made with Bun counts as Bun's. */
function executables(runtime: RuntimeName, config: string): Starter[] {
  if (runtime !== "bun" || !existsSync(PROGRAMS.executable)) return [];
  const command = [PROGRAMS.executable, "server", "--config", config, "--json"];
  return [{ role: "executable", command }];
}

interface Times {
  readonly listeningMs: number;
  readonly initializedMs: number;
}

async function timeStart(command: readonly string[]): Promise<Times> {
  const running = await start(command);
  try {
    const connection = await Connection.open(running.url);
    await Session.open(running.url, connection);
    connection.close();
    const initializedMs = performance.now() - running.spawnedAt;
    return { listeningMs: running.listeningMs, initializedMs };
  } finally {
    await running.stop();
  }
}

function best(tries: readonly Times[]): Times {
  return {
    listeningMs: Math.min(...tries.map((one) => one.listeningMs)),
    initializedMs: Math.min(...tries.map((one) => one.initializedMs)),
  };
}
