/** The variables of the clients' files: each client has its own spellings. */
import type { ClientName } from "../clients/clients.ts";
import { visible } from "../text.ts";
import type { Origin } from "./found.ts";
import { joined, type Part, type Text } from "./text.ts";

/**
 * Spellings: `shell` is `${VAR}` and `${VAR:-default}`, `env` is `${env:VAR}`, `input` is `${input:id}`,
 * `folders` is `${workspaceFolder}`, `${userHome}` and the like.
 */
type Spelling = "shell" | "env" | "input" | "folders";

const SPELLINGS: Readonly<Record<ClientName, readonly Spelling[]>> = {
  "claude-desktop": [],
  "claude-code": ["shell"],
  cursor: ["env", "folders"],
  vscode: ["env", "input", "folders"],
  codex: [],
  windsurf: ["env"],
};
const EVERY: readonly Spelling[] = ["shell", "env", "input", "folders"];

/** A value that VS Code asks for. */
export interface Input {
  readonly description?: string;
  /** Never of a password. */
  readonly fallback?: string;
}

/** What the variables of one file stand for. */
export interface Surroundings {
  readonly origin: Origin;
  /** Folder of the project, absolute. */
  readonly workspace: string;
  readonly home: string;
  readonly inputs: ReadonlyMap<string, Input>;
}

/** What to say of a translated variable. */
export interface VariableNote {
  readonly kind: "input" | "workspace" | "unknown";
  /** As written. */
  readonly from: string;
  /** Variable or folder it became; empty for an unknown one. */
  readonly to: string;
  readonly about?: string;
  /** It has no default, so somebody has to set it. */
  readonly isOpen?: boolean;
}

export interface Translated {
  readonly text: Text;
  readonly notes: readonly VariableNote[];
}

const TOKEN = /\$\{([^{}]*)\}/g;
const NAME = /^[A-Za-z_]\w*$/;

/** Where the client would replace something in this text. */
export function variableRanges(
  text: string,
  around: Surroundings,
): readonly (readonly [number, number])[] {
  const context = { spellings: spellingsOf(around.origin), around };
  return [...text.matchAll(TOKEN)].flatMap(({ 0: whole, 1: inner = "", index }) => {
    const isOne = replacement(inner, "", context)?.part !== undefined;
    return isOne ? [[index, index + whole.length] as const] : [];
  });
}

/** The text with the client's variables as ours; `server` names what an input belongs to. */
export function translated(text: string, server: string, around: Surroundings): Translated {
  const spellings = spellingsOf(around.origin);
  const parts: Part[] = [];
  const notes: VariableNote[] = [];
  let done = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [whole, inner = ""] = match;
    const one = replacement(inner, server, { spellings, around });
    if (one === undefined) continue;
    parts.push(text.slice(done, match.index), one.part ?? whole);
    if (one.note !== undefined) notes.push({ from: visible(whole), ...one.note });
    done = match.index + whole.length;
  }
  return { text: joined([...parts, text.slice(done)]), notes };
}

function spellingsOf(origin: Origin): readonly Spelling[] {
  if (origin === "contextforge") return [];
  return origin === undefined ? EVERY : SPELLINGS[origin];
}

function spellingOf(inner: string, spellings: readonly Spelling[]): Spelling | undefined {
  const spelling = inner.startsWith("env:")
    ? "env"
    : inner.startsWith("input:")
    ? "input"
    : FOLDERS.has(inner)
    ? "folders"
    : "shell";
  return spellings.includes(spelling) ? spelling : undefined;
}

interface Replacement {
  /** Undefined: the text stays as it is. */
  readonly part?: Part;
  readonly note?: Omit<VariableNote, "from">;
}

interface Context {
  readonly spellings: readonly Spelling[];
  readonly around: Surroundings;
}

/** Undefined for what the client would leave alone too. */
function replacement(inner: string, server: string, context: Context): Replacement | undefined {
  const { spellings, around } = context;
  const spelling = spellingOf(inner, spellings);
  if (spelling === undefined) {
    // Such as ${command:pick}, which an editor would fill in.
    const isTheirs = spellings.includes("folders") && /^[a-z]\w*(:|$)/i.test(inner);
    return isTheirs ? { note: { kind: "unknown", to: "" } } : undefined;
  }
  if (spelling === "folders") return folder(inner, around);
  if (spelling === "input") return input(inner.slice("input:".length), server, around);
  return variable(spelling === "env" ? inner.slice("env:".length) : inner, spelling);
}

function variable(inner: string, spelling: Spelling): Replacement {
  const [, name = "", fallback] = /^(\w*)(?::-([^]*))?$/.exec(inner) ?? [];
  const hasFallback = fallback !== undefined && (spelling === "shell" || fallback !== "");
  if (!NAME.test(name)) return { note: { kind: "unknown", to: "" } };
  return { part: hasFallback ? { variable: name, fallback } : { variable: name } };
}

function input(id: string, server: string, { inputs }: Surroundings): Replacement {
  const words = shout(id);
  // One word, such as "token", would be the same for every server.
  const to = words.includes("_") ? words : `${shout(server)}_${words || "INPUT"}`;
  const { fallback, description } = inputs.get(id) ?? {};
  const part = fallback === undefined ? { variable: to } : { variable: to, fallback };
  const about = description === undefined ? {} : { about: visible(description) };
  const isOpen = fallback === undefined;
  return { part, note: { kind: "input", to, isOpen, ...about } };
}

const FOLDERS = new Map<string, (around: Surroundings) => string>([
  ["workspaceFolder", ({ workspace }) => workspace],
  ["workspaceRoot", ({ workspace }) => workspace],
  ["workspaceFolderBasename", ({ workspace }) => workspace.split(/[\\/]/).at(-1) ?? ""],
  ["userHome", ({ home }) => home],
  ["pathSeparator", ({ home }) => home.includes("\\") ? "\\" : "/"],
  ["/", ({ home }) => home.includes("\\") ? "\\" : "/"],
]);

function folder(inner: string, around: Surroundings): Replacement {
  const part = FOLDERS.get(inner)?.(around) ?? "";
  const isWorkspace = inner.startsWith("workspace");
  return isWorkspace ? { part, note: { kind: "workspace", to: visible(part) } } : { part };
}

/** `api-key`, `apiKey` → `API_KEY`. */
export function shout(text: string): string {
  return text.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[^A-Za-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "").replace(/^(?=\d)/, "_").toUpperCase();
}
