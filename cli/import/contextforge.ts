/** An export of IBM ContextForge (`mcpgateway export`) as servers and toolsets. */
import { isTable, type Table, tableAt, tablesIn, textAt, textsIn } from "../../src/config/raw.ts";
import { visible } from "../text.ts";
import { authOf } from "./contextforge_auth.ts";
import { notCarried } from "./contextforge_report.ts";
import { toolsetsOf } from "./contextforge_toolsets.ts";
import type { Draft } from "./draft.ts";
import { draftOf } from "./entry.ts";
import type { ImportNote } from "./found.ts";
import { slugOf } from "./names.ts";
import { isContextForge } from "./shape.ts";
import type { Surroundings } from "./variables.ts";

export interface ForgeRequest {
  /** For people. */
  readonly file: string;
  readonly document: unknown;
  readonly around: Surroundings;
  readonly encryptionSecret: string | undefined;
  /** `catalog.separator` of the configuration. */
  readonly separator: string;
}

/** Gateways of an export as drafts; toolsets need the names that the drafts get. */
export interface Forge {
  readonly drafts: readonly Draft[];
  readonly notes: readonly ImportNote[];
  readonly toolsets: (nameOf: (draft: Draft) => string) => ReturnType<typeof toolsetsOf>;
}

const MOST_GATEWAYS = 1_000;
const LOOPBACK = /^https?:\/\/(localhost|127\.|\[::1\])/i;

/** Reads an export; undefined when the document is none. */
export async function readForge(request: ForgeRequest): Promise<Forge | undefined> {
  const { document, separator } = request;
  if (!isContextForge(document) || !isTable(document)) return undefined;
  const entities = tableAt(document, "entities");
  const gateways: { slug: string; draft: Draft }[] = [];
  const notes: ImportNote[] = [];
  for (const [, gateway] of tablesIn(entities["gateways"]).slice(0, MOST_GATEWAYS)) {
    const name = textAt(gateway, "name") ?? "";
    const one = await gatewayOf(gateway, name, request);
    if ("refusal" in one) notes.push(one.refusal);
    else gateways.push({ slug: slugOf(name), draft: one.draft });
  }
  return {
    drafts: gateways.map(({ draft }) => draft),
    notes: [...notes, ...notCarried(entities)],
    toolsets: (nameOf) => {
      const backends = gateways.map(({ slug, draft }) => ({ slug, name: nameOf(draft) }));
      return toolsetsOf(entities, { backends, separator });
    },
  };
}

async function gatewayOf(gateway: Table, name: string, request: ForgeRequest) {
  const { file, around, encryptionSecret } = request;
  const url = textAt(gateway, "url") ?? "";
  const isActive = (gateway["is_active"] ?? gateway["enabled"] ?? true) === true;
  const transport = (textAt(gateway, "transport") ?? "").toUpperCase();
  const type = transport === "SSE" ? "sse" : "http";
  const value = { url, type, disabled: !isActive };
  const source = { client: "contextforge", file, name } as const;
  const drafted = draftOf({ source, value, around, isProject: false });
  if ("refusal" in drafted) return drafted;
  const { draft } = drafted;
  if (transport === "STDIO" || !/^https?:/i.test(url)) {
    const text = "it is no HTTP server: write its command as [backends.<name>] command and args";
    return { refusal: { code: "not_carried", about: draft.name, text } as const };
  }
  const { headers, problem } = await authOf(gateway, draft.name, encryptionSecret);
  const own = new Set(headers.map(([header]) => header.toLowerCase()));
  const kept = draft.headers.filter(([header]) => !own.has(header.toLowerCase()));
  const notes = [...draft.notes, ...gatewayNotes(gateway, draft.name, { url, problem })];
  return { draft: { ...draft, headers: [...kept, ...headers], notes } };
}

function gatewayNotes(
  gateway: Table,
  about: string,
  { url, problem }: { readonly url: string; readonly problem: string | undefined },
): ImportNote[] {
  const passed = textsIn(gateway["passthrough_headers"]).map(([, name]) => visible(name));
  const notes: ImportNote[] = [];
  const add = (code: ImportNote["code"], text: string) => notes.push({ code, about, text });
  if (problem !== undefined) add("not_carried", problem);
  if (passed.length > 0) {
    const names = passed.join(", ");
    add(
      "not_carried",
      `headers of clients are not passed on (${names}): set them here if all share them`,
    );
  }
  if (LOOPBACK.test(url)) {
    add(
      "changed",
      "if this is a mcpgateway.translate process, write its command here in place of url",
    );
  }
  return notes;
}
