/** The two-way gate between the table of requirements and the tests that cite it. */
import type { Requirement } from "../requirements.ts";
import { type Node, nodesOf, parse } from "./scan.ts";

/** One `proves(…)` call in a source. */
export interface Proof {
  readonly file: string;
  /** Undefined where the ids are not written as literals. */
  readonly ids: readonly string[] | undefined;
}

/** All proofs of one test file. */
export function proofsOf(file: string, text: string): Proof[] {
  if (!text.includes("proves(")) return [];
  const found: Proof[] = [];
  for (const node of nodesOf(parse(file, text).program)) {
    if (node.type !== "CallExpression" || (node["callee"] as Node)["name"] !== "proves") continue;
    const [cited] = node["arguments"] as Node[];
    found.push({ file, ids: literals(cited) });
  }
  return found;
}

function literals(node: Node | undefined): string[] | undefined {
  const cited = node?.type === "ArrayExpression" ? node["elements"] as Node[] : [node];
  const ids = cited.map((item) => item?.["value"]);
  return ids.every((id) => typeof id === "string") ? ids : undefined;
}

/** Files that prove each id. */
export function filesById(proofs: readonly Proof[]): Map<string, Set<string>> {
  const files = new Map<string, Set<string>>();
  for (const { file, ids = [] } of proofs) {
    for (const id of ids) files.set(id, (files.get(id) ?? new Set()).add(file));
  }
  return files;
}

/** What is wrong between table and tests; empty when both agree. */
export function gateProblems(
  requirements: Readonly<Record<string, Requirement>>,
  proofs: readonly Proof[],
): string[] {
  const proven = filesById(proofs);
  const unreadable = proofs.filter(({ ids }) => ids === undefined)
    .map(({ file }) => `${file}: write the ids of proves() as literals`);
  const unknown = [...proven].filter(([id]) => !Object.hasOwn(requirements, id))
    .map(([id, files]) => `${id} is no requirement, but cited by ${[...files].join(", ")}`);
  const wrong = Object.entries(requirements).flatMap(([id, { open, partly }]) => {
    const files = proven.get(id);
    if (open !== undefined && partly !== undefined) return [`${id} is both open and partly proven`];
    if (open === undefined && files === undefined) return [`${id} has no proof and is not open`];
    if (open === undefined || files === undefined) return [];
    return [`${id} is declared open, but proven by ${[...files].join(", ")}`];
  });
  return [...unreadable, ...unknown, ...wrong];
}
