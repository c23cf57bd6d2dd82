import { filesById, proofsOf } from "../../tests/arch/proofs.ts";
import { readSource, testFiles } from "../../tests/arch/source_files.ts";
import { type Requirement, REQUIREMENTS } from "../../tests/requirements.ts";
import { page, table } from "./markdown.ts";

const GROUPS = {
  G: "The gateway",
  S: "Server and client",
  U: "Architecture",
  X: "Beyond",
} as const;

/** What must be true, and which tests prove it. */
export function requirementsPage(): string {
  const files = filesById(testFiles().flatMap((file) => proofsOf(file, readSource(file))));
  const all = Object.entries<Requirement>(REQUIREMENTS);
  const proven = all.filter(([, { open, partly }]) => open === undefined && partly === undefined);
  const partly = all.filter((row) => row[1].partly !== undefined);
  const parts = Object.entries(GROUPS).map(([letter, title]) => {
    const rows = all.filter(([id]) => id.startsWith(letter)).map(([id, requirement]) => [
      id,
      requirement.text,
      stateOf(requirement),
      [...files.get(id) ?? []].sort().map(linked).join(", "),
    ]);
    return `## ${title}\n\n${table(["id", "must be true", "state", "tests"], rows)}`;
  });
  return page(
    "Requirements",
    `What must be true, and what proves it on Deno, Node and Bun: ${proven.length} of ` +
      `${all.length} proven, ${partly.length} in part.`,
    ...parts,
  );
}

function stateOf({ open, partly }: Requirement): string {
  if (open !== undefined) return `open: ${open}`;
  return partly === undefined ? "proven" : `in part: ${partly}`;
}

function linked(file: string): string {
  return `[${file.slice(file.lastIndexOf("/") + 1)}](../${file})`;
}
