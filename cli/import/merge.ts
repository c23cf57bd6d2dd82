/** Drafts of many files become servers: each once, each with a name and variables of its own. */
import { CLIENTS } from "../clients/clients.ts";
import { type Draft, identityOf, type Named, textsOf } from "./draft.ts";
import { type Existing, matchOf } from "./existing.ts";
import type {
  BackendTable,
  BackendValue,
  EntrySource,
  FoundServer,
  ImportNote,
  Origin,
} from "./found.ts";
import { freeName } from "./names.ts";
import { isVariable, type Secret, type Text, written } from "./text.ts";
import { Vault } from "./vault.ts";

/** Drafts that say the same; the first one counts. */
interface Group {
  readonly draft: Draft;
  readonly sources: EntrySource[];
  readonly notes: ImportNote[];
  isEnabled: boolean;
}

export interface Merged {
  readonly servers: readonly FoundServer[];
  /** Those the configuration has already, by the name it has for them. */
  readonly present: readonly { readonly name: string; readonly sources: readonly EntrySource[] }[];
  readonly notes: readonly ImportNote[];
  readonly secrets: ReadonlyMap<string, string>;
  /** Name of the server each draft became. */
  readonly nameOf: ReadonlyMap<Draft, string>;
}

export interface MergeOptions {
  readonly existing: Existing;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Variables of the file of secrets. */
  readonly known: ReadonlyMap<string, string>;
}

export function merged(drafts: readonly Draft[], options: MergeOptions): Merged {
  const groups = new Map<string, Group>();
  for (const draft of drafts) join(groups, draft);
  const taken = drafts.flatMap(textsOf).flat().filter(isVariable).map(({ variable }) => variable);
  const vault = new Vault({ ...options, taken: new Set(taken) });
  const merger = new Merger(vault, options);
  const names = new Map([...groups].map(([key, group]) => [key, merger.add(group)]));
  return {
    servers: merger.servers,
    present: merger.present,
    notes: merger.notes,
    secrets: vault.values,
    nameOf: new Map(drafts.map((draft) => [draft, names.get(identityOf(draft)) ?? draft.name])),
  };
}

function join(groups: Map<string, Group>, draft: Draft): void {
  const key = identityOf(draft);
  const group = groups.get(key);
  const { source, notes, isEnabled } = draft;
  if (group === undefined) {
    groups.set(key, { draft, sources: [source], notes: [...notes], isEnabled });
    return;
  }
  group.sources.push(source);
  group.isEnabled ||= isEnabled;
  const said = new Set(group.notes.map(({ text }) => text));
  group.notes.push(...notes.filter(({ text }) => !said.has(text)));
  if (JSON.stringify(settingsOf(draft)) !== JSON.stringify(settingsOf(group.draft))) {
    const text = `limits of tools and time differ in ${titleOf(source.client)}: those of ${
      titleOf(group.draft.source.client)
    } count`;
    group.notes.push({ code: "changed", about: draft.name, text });
  }
}

class Merger {
  readonly servers: FoundServer[] = [];
  readonly present: { name: string; sources: readonly EntrySource[] }[] = [];
  readonly notes: ImportNote[] = [];
  readonly #vault: Vault;
  readonly #options: MergeOptions;
  readonly #names: Set<string>;

  constructor(vault: Vault, options: MergeOptions) {
    this.#vault = vault;
    this.#options = options;
    const names = Object.keys(options.existing.backends);
    this.#names = new Set(names.map((name) => name.toLowerCase()));
  }

  /** The name it has from now on. */
  add(group: Group): string {
    const { draft, sources } = group;
    const match = matchOf(draft, this.#options.existing);
    if (match !== undefined) {
      this.present.push({ name: match.name, sources });
      const text = "is there already with other settings, which stay";
      if (!match.isSame) this.notes.push({ code: "skipped", about: match.name, text });
      return match.name;
    }
    const name = freeName(draft.name, (name) => this.#names.has(name));
    this.#names.add(name);
    this.notes.push(...group.notes.map((note) => ({ ...note, about: name })));
    if (name !== draft.name) {
      const text = `"${draft.name}" is taken by another server, so this one is ${name}`;
      this.notes.push({ code: "changed", about: name, text });
    }
    this.servers.push(this.#server(name, group));
    return name;
  }

  #server(name: string, group: Group): FoundServer {
    const secrets = new Set<string>();
    const variableFor = (secret: Secret) => {
      const variable = this.#vault.put(secret, name);
      if (!secrets.has(variable)) this.#noteSecret(name, variable, secret);
      secrets.add(variable);
      return variable;
    };
    const backend = tableOf(group, variableFor);
    const needs = this.#needs(group.draft);
    // Notes of inputs say it already.
    const unsaid = needs.filter((variable) =>
      !group.notes.some(({ text }) => text.includes(`\${env:${variable}}`))
    );
    if (unsaid.length > 0) {
      const text = `${unsaid.join(", ")} ${unsaid.length === 1 ? "is" : "are"} not set yet`;
      this.notes.push({ code: "variable_needed", about: name, text });
    }
    return { name, backend, sources: group.sources, needs, secrets: [...secrets] };
  }

  #noteSecret(about: string, variable: string, { hint }: Secret): void {
    const what = /^(URL|PASSWORD)$/i.test(hint) ? "password" : "credential";
    const text = `literal ${what} moved to sentinel.env as ${variable}`;
    this.notes.push({ code: "secret_moved", about, text });
  }

  #needs(draft: Draft): readonly string[] {
    const { env, known } = this.#options;
    const variables = textsOf(draft).flat().filter(isVariable)
      .filter(({ fallback }) => fallback === undefined)
      .map(({ variable }) => variable)
      .filter((variable) => !env[variable] && !known.get(variable));
    return [...new Set(variables)];
  }
}

function tableOf(
  { draft, isEnabled }: Group,
  variableFor: (secret: Secret) => string,
): BackendTable {
  const one = (text: Text) => written(text, variableFor);
  const pairs = (named: Named) => nonEmpty(named.map(([name, text]) => [name, one(text)] as const));
  const { url, command, args, cwd, env, headers, inheritEnv, transport, timeout } = draft;
  const values: readonly (readonly [string, BackendValue | undefined])[] = [
    ["url", url && one(url)],
    ["command", command && one(command)],
    ["args", args.length === 0 ? undefined : args.map(one)],
    ["cwd", cwd && one(cwd)],
    ["env", pairs(env)],
    ["inherit_env", inheritEnv.length === 0 ? undefined : ["PATH", "HOME", "LANG", ...inheritEnv]],
    ["headers", pairs(headers)],
    ["transport", transport],
    ["enabled", isEnabled ? undefined : false],
    ["timeout", timeout],
    ["tools", toolsOf(draft)],
  ];
  return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as BackendTable;
}

function toolsOf(
  { allow, deny = [] }: Draft,
): Readonly<Record<string, readonly string[]>> | undefined {
  const isEverything = allow === undefined || (allow.length === 1 && allow[0] === "*");
  if (isEverything && deny.length === 0) return undefined;
  return { ...(isEverything ? {} : { allow }), ...(deny.length === 0 ? {} : { deny }) };
}

function settingsOf(draft: Draft): unknown {
  return [draft.timeout, toolsOf(draft)];
}

/** No prototype: `__proto__` is a name like others. */
function nonEmpty(
  entries: readonly (readonly [string, string])[],
): Readonly<Record<string, string>> | undefined {
  if (entries.length === 0) return undefined;
  const table: Record<string, string> = Object.create(null);
  for (const [name, text] of entries) table[name] = text;
  return table;
}

/** How people call a client. */
export function titleOf(origin: Origin): string {
  if (origin === undefined) return "the named file";
  return origin === "contextforge" ? "ContextForge" : CLIENTS[origin].title;
}
