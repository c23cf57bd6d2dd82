import type { Connection } from "./connection.ts";

/** What of the server's settings may lose what it is given; empty also when it does not tell. */
export async function risksOf(connection: Connection): Promise<readonly string[]> {
  try {
    const appendOnly = valueOf(await connection.run(["CONFIG", "GET", "appendonly"]));
    const policy = valueOf(await connection.run(["CONFIG", "GET", "maxmemory-policy"]));
    return [...ofAppendOnly(appendOnly), ...ofPolicy(policy)];
  } catch {
    // Managed servers refuse CONFIG.
    return [];
  }
}

function ofAppendOnly(value: string | undefined): string[] {
  return value === "no" ? ["appendonly is no: a crash of the server loses what is in it"] : [];
}

function ofPolicy(value = "noeviction"): string[] {
  if (value === "noeviction") return [];
  const lost = value.startsWith("allkeys") ? "kill switches and limits" : "limits";
  return [`maxmemory-policy is ${value.slice(0, 50)}: a full server drops ${lost}`];
}

/** The value of the one setting that was asked for: a map, or in the older protocol a list of name and value. */
function valueOf(answer: unknown): string | undefined {
  const value: unknown = Array.isArray(answer) ? answer[1] : Object.values(answer ?? {})[0];
  return typeof value === "string" ? value : undefined;
}
