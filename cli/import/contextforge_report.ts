/** What of a ContextForge export has no place here: the reason, and what to do. */
import { type Table, tablesIn, textAt } from "../../src/config/raw.ts";
import { counted } from "../output.ts";
import { visible } from "../text.ts";
import type { ImportNote } from "./found.ts";

const MOST_NAMED = 50;

interface Kind {
  readonly about: string;
  readonly noun: string;
  readonly items: (entities: Table) => readonly Table[];
  readonly reason: string;
}

const list = (key: string) => (entities: Table) => tablesIn(entities[key]).map(([, item]) => item);
const toolsOf = (isWanted: (type: string) => boolean) => (entities: Table) =>
  list("tools")(entities).filter((tool) =>
    isWanted((textAt(tool, "integration_type") ?? "REST").toUpperCase())
  );

const KINDS: readonly Kind[] = [
  {
    about: "tools",
    noun: "REST tool",
    items: toolsOf((type) => type === "REST"),
    reason: "here every tool comes from an MCP server: put one in front of the API",
  },
  {
    about: "tools",
    noun: "A2A tool",
    items: toolsOf((type) => type === "A2A"),
    reason: "agents are not called here: put an MCP server in front of them",
  },
  {
    about: "tools",
    noun: "MCP tool",
    items: toolsOf((type) => type !== "REST" && type !== "A2A"),
    reason: "tools come with their backend; changed descriptions go to [backends.<name>.tools]",
  },
  {
    about: "prompts",
    noun: "prompt",
    items: list("prompts"),
    reason: "prompts come from backends: serve the templates with an MCP server",
  },
  {
    about: "resources",
    noun: "resource",
    items: list("resources"),
    reason:
      "resources come from backends, and exports hold no contents: serve them with an MCP server",
  },
  {
    about: "roots",
    noun: "root",
    items: list("roots"),
    reason: "roots belong to clients: a backend asks its caller for them",
  },
  {
    about: "agents",
    noun: "A2A agent",
    items: (entities) => [...list("a2a_agents")(entities), ...list("agents")(entities)],
    reason: "agents are not called here: put an MCP server in front of them",
  },
];

/** One note for each kind of thing, naming its members. */
export function notCarried(entities: Table): readonly ImportNote[] {
  const notes = KINDS.flatMap(({ about, noun, items, reason }): ImportNote[] => {
    const found = items(entities);
    if (found.length === 0) return [];
    const names = found.slice(0, MOST_NAMED).map((item) =>
      visible(textAt(item, "name") ?? textAt(item, "uri") ?? "?")
    );
    const more = found.length > MOST_NAMED ? ` and ${found.length - MOST_NAMED} more` : "";
    const text = `${counted(found.length, noun)} (${names.join(", ")}${more}): ${reason}`;
    return [{ code: "not_carried", about, text }];
  });
  const people =
    "users, teams, tokens and plugins are not in exports: who may call is [auth] and [roles]," +
    " rules take the place of plugins";
  return [...notes, { code: "not_carried", about: "people", text: people }];
}
