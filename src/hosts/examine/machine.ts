/** What the machine gives a gateway: open files, and what ties children to it. */
import { readFileSync } from "node:fs";
import process from "node:process";
import type { Check } from "../../contract/diagnosis.ts";
import { findLauncher } from "../process/launcher.ts";

/** Fewer are used up by a few hundred clients. */
const FEW_FILES = 4096;
/** First versions the gateway is tested with. */
const OLDEST: Readonly<Record<string, number>> = { node: 24, deno: 2, bun: 1 };

/** @param runtime name and version, such as `node 24.21.0` */
export async function examineMachine(runtime: string): Promise<readonly Check[]> {
  return [...runtimeChecks(runtime), ...await launcherChecks()];
}

function runtimeChecks(runtime: string): readonly Check[] {
  const row = { section: "runtime" } as const;
  const [name = "", version = ""] = runtime.split(" ");
  const oldest = OLDEST[name];
  const files = openFiles();
  const text = files === undefined ? runtime : `${runtime}, ${files} open files allowed`;
  if (oldest !== undefined && Number.parseInt(version) < oldest) {
    return [{ ...row, level: "fail", text, cure: `install ${name} ${oldest} or newer` }];
  }
  if (typeof files !== "number" || files >= FEW_FILES) return [{ ...row, level: "ok", text }];
  const cure = "ulimit -n 65536  before the start, or LimitNOFILE=65536 in the unit of systemd";
  return [{ ...row, level: "warn", text, cure }];
}

/** Undefined where it is not known. */
function openFiles(): number | "unlimited" | undefined {
  try {
    const text = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\S+)/m.exec(text)?.[1];
    return soft === undefined ? undefined : soft === "unlimited" ? soft : Number(soft);
  } catch {
    return undefined;
  }
}

async function launcherChecks(): Promise<readonly Check[]> {
  if (process.platform !== "linux") return [];
  const { ties, bounds } = await findLauncher();
  const found = [ties?.[0], bounds?.({})[0]].filter((path) => path !== undefined);
  const row = { section: "runtime", name: "processes" } as const;
  if (found.length === 2) {
    return [{ ...row, level: "ok", text: `children are tied and bounded by ${found.join(", ")}` }];
  }
  const missing = ties === undefined ? "setpriv" : "prlimit";
  const text = ties === undefined
    ? "children may outlive a gateway that is killed: there is no working setpriv"
    : "children cannot be bounded: there is no working prlimit";
  return [{ ...row, level: "warn", text, cure: `install util-linux, which brings ${missing}` }];
}
