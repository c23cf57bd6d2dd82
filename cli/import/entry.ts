/** One entry of a client file becomes a draft. */
import { isTable } from "../../src/config/raw.ts";
import { visible } from "../text.ts";
import { textOf, type TextRequest } from "./credentials.ts";
import type { Draft } from "./draft.ts";
import { type Building, FIELDS } from "./fields.ts";
import type { EntrySource, ImportNote, NoteCode } from "./found.ts";
import { plainName } from "./names.ts";
import type { Text } from "./text.ts";
import type { Surroundings, VariableNote } from "./variables.ts";

/** An entry as it stands in a file. */
export interface Entry {
  readonly source: EntrySource;
  readonly value: unknown;
  readonly around: Surroundings;
  /** True for files of a project: relative paths count from its folder. */
  readonly isProject: boolean;
  /** Variables of a file the entry names with `envFile`. */
  readonly envFile?: ReadonlyMap<string, string>;
}

export type Drafted = { readonly draft: Draft } | { readonly refusal: ImportNote };

/** Reads an entry; what has no place in a draft becomes a note. */
export function draftOf(entry: Entry): Drafted {
  const { source, value } = entry;
  const about = plainName(source.name);
  if (!isTable(value)) return { refusal: refusal(about, "it is no table of settings") };
  const building = new Builder(entry, about);
  for (const [name, setting] of Object.entries(value)) building.take(name, setting);
  return building.finish();
}

class Builder implements Building {
  url: Building["url"];
  command: Building["command"];
  cwd: Building["cwd"];
  transport: Building["transport"];
  timeout: Building["timeout"];
  allow: Building["allow"];
  deny: Building["deny"];
  isEnabled = true;
  readonly args: Building["args"] = [];
  readonly env: Building["env"] = new Map();
  readonly headers: Building["headers"] = new Map();
  readonly inheritEnv: string[] = [];
  readonly #entry: Entry;
  readonly #name: string;
  readonly #notes: ImportNote[] = [];
  readonly #unknown: string[] = [];
  #refusal: string | undefined;

  constructor(entry: Entry, name: string) {
    this.#entry = entry;
    this.#name = name;
  }

  take(field: string, value: unknown): void {
    const read = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
    if (read === undefined) this.#unknown.push(field);
    else if (value !== null) read(this, value, field);
  }

  get workspace(): string {
    return this.#entry.around.workspace;
  }

  get envFile(): ReadonlyMap<string, string> | undefined {
    return this.#entry.envFile;
  }

  text(raw: string, as?: TextRequest["as"]) {
    const server = this.#name;
    const { around } = this.#entry;
    const request = { raw, server, around };
    const { text, notes } = textOf(as === undefined ? request : { ...request, as });
    for (const note of notes) this.#say(note);
    return text;
  }

  note(code: NoteCode, text: string): void {
    if (this.#notes.some((note) => note.text === text)) return;
    this.#notes.push({ code, about: this.#name, text });
  }

  refuse(reason: string): void {
    this.#refusal ??= reason;
  }

  finish(): Drafted {
    const unknown = this.#unknown.map((name) => `"${visible(name.slice(0, 64))}"`);
    if (unknown.length > 0) {
      const verbs = unknown.length === 1 ? ["has", "was"] : ["have", "were"];
      const text = `${unknown.join(", ")} ${verbs[0]} no meaning here and ${verbs[1]} left out`;
      this.note("left_out", text);
    }
    if (this.url === undefined && this.command === undefined) {
      this.refuse("it has neither a command nor a URL");
    }
    if (this.#refusal !== undefined) return { refusal: refusal(this.#name, this.#refusal) };
    return { draft: this.#draft() };
  }

  #draft(): Draft {
    const { url, command, transport, timeout, allow, deny, isEnabled } = this;
    this.#noteDropped(command === undefined);
    const common = {
      source: this.#entry.source,
      name: this.#name,
      timeout,
      allow,
      deny,
      isEnabled,
    };
    const none = { args: [], env: [], headers: [], inheritEnv: [], cwd: undefined };
    if (command === undefined) {
      const headers = [...this.headers];
      return { ...common, ...none, url, command, headers, transport, notes: this.#notes };
    }
    const { args, inheritEnv } = this;
    const cwd = this.cwd ?? this.#projectFolder();
    const kind = { url: undefined, transport: undefined, command, args, inheritEnv, cwd };
    return { ...common, ...none, ...kind, env: [...this.env], notes: this.#notes };
  }

  /** Clients start the servers of a project in its folder; that matters where a path is relative. */
  #projectFolder(): Text | undefined {
    const words = [this.command ?? [], ...this.args];
    const isRelative = words.some(([first]) =>
      typeof first === "string" && /^\.\.?[\\/]/.test(first)
    );
    if (!this.#entry.isProject || !isRelative) return undefined;
    this.note("changed", `it starts in ${visible(this.workspace)}, because its paths are relative`);
    return [this.workspace];
  }

  /** What a server of the other kind would have. */
  #noteDropped(isHttp: boolean): void {
    const sizes = isHttp
      ? { args: this.args.length, env: this.env.size, cwd: this.cwd === undefined ? 0 : 1 }
      : { url: this.url === undefined ? 0 : 1, headers: this.headers.size };
    const names = Object.entries(sizes).filter(([, size]) => size > 0).map(([name]) => name);
    if (names.length === 0) return;
    const verb = names.length === 1 ? "means" : "mean";
    const kind = isHttp ? "a server with a URL" : "a server with a command";
    this.note("left_out", `${names.join(", ")} ${verb} nothing for ${kind}`);
  }

  #say({ kind, from, to, about, isOpen }: VariableNote): void {
    if (kind === "workspace") {
      const code = this.#entry.isProject ? "changed" : "workspace";
      this.note(code, `${from} became ${to} — --workspace names another folder`);
    } else if (kind === "unknown") {
      this.note("changed", `${from} is no variable we know and stays as text`);
    } else {
      const what = about === undefined ? "" : ` (${about})`;
      const wish = isOpen ? " — set it before start" : "";
      this.note("changed", `${from} became \${env:${to}}${what}${wish}`);
    }
  }
}

function refusal(about: string, text: string): ImportNote {
  return { code: "skipped", about, text: `skipped: ${text}` };
}
