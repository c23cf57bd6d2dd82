import type { Capability } from "../../src/contract/manage/mod.ts";
import { findingLines, heldLines, kindsOf, pinLines } from "../definition_lines.ts";
import { EXIT } from "../exit.ts";
import { asNamed, connect } from "../management.ts";
import { columns } from "../output.ts";
import { listed, type ListingOptions, namesOf, show, tableOf } from "../show.ts";
import type { Column } from "../table.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";

interface ListRequest extends TargetRequest {
  readonly options: TargetOptions & ListingOptions;
}

const COLUMNS: readonly Column<Capability>[] = [
  { title: "TOOL", text: ({ name }) => name },
  { title: "BACKEND", text: ({ backend }) => backend },
  {
    title: "ACCESS",
    text: ({ killed, held }) =>
      killed !== undefined ? "killed" : held !== undefined ? "held" : "open",
    style: ({ killed, held }) => killed === undefined && held === undefined ? undefined : "warning",
  },
  { title: "ORIGINAL", text: ({ original }) => original, wide: true },
  { title: "ROLES", text: ({ roles }) => roles.join(",") || "–", wide: true },
  { title: "TOOLSETS", text: ({ toolsets }) => toolsets.join(",") || "–", wide: true },
  { title: "HASH", text: ({ hash }) => hash.slice(0, 12), wide: true },
  { title: "FINDINGS", text: ({ findings }) => kindsOf(findings).join(",") || "–", wide: true },
  {
    title: "DESCRIPTION",
    text: ({ killed, held, description }) => killed ?? held?.reason ?? description ?? "",
    cut: true,
  },
];

/** Prints the tools of the catalog. */
export async function listTools(request: ListRequest): Promise<number> {
  const { output, options } = request;
  const connection = await connect(request);
  const filter = options.filter === undefined ? "kind:tool" : `kind:tool ${options.filter}`;
  const answer = await listed({
    connection,
    route: "capabilities",
    options: { ...options, filter },
  });
  show({ output, route: "capabilities", answer }, ({ items }) => {
    const empty = options.filter === undefined ? "no backend offers a tool" : "no tool matches";
    return tableOf({ output, options, rows: items, empty }, COLUMNS);
  });
  return EXIT.done;
}

interface ShowRequest extends TargetRequest {
  readonly name: string;
}

/** Prints one tool with its definition as clients see it, or would see it. */
export async function showTool(request: ShowRequest): Promise<number> {
  const { output, name } = request;
  const connection = await connect(request);
  const { client, wait } = connection;
  const names = () => namesOf(client.all("capabilities", { query: { filter: "kind:tool" } }));
  const answer = await asNamed(
    name,
    names,
    () => client.request("capability", { params: { kind: "tool", name }, ...wait }),
  );
  show({ output, route: "capability", answer }, (tool) => [
    output.paint("strong", tool.name),
    ...columns([
      [
        "backend",
        tool.original === tool.name ? tool.backend : `${tool.backend}, as ${tool.original}`,
      ],
      ["toolsets", tool.toolsets.join(", ") || "–"],
      ["roles", tool.roles.join(", ") || "–"],
      ["hash", tool.hash],
      ...(tool.killed === undefined ? [] : [["killed", tool.killed] as const]),
      ...pinLines(tool),
    ]),
    ...heldLines(tool),
    ...findingLines(tool),
    "",
    ...JSON.stringify(tool.definition, null, 2).split("\n"),
  ]);
  return EXIT.done;
}
