/** A person's machine for tests of `connect`. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ClientName, CLIENTS } from "../../cli/clients/clients.ts";
import { placesOf } from "../../cli/clients/places.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { type Ran, runCli } from "./fake_io.ts";

/** Nothing listens there. */
export const NOWHERE = "http://127.0.0.1:9/mcp";

/** A person's machine in a folder: a home, a project, clients that are installed. */
export class Person {
  readonly home: string;
  readonly project: string;
  readonly #env: Record<string, string>;

  constructor(folder: string) {
    this.home = join(folder, "home");
    this.project = join(folder, "project");
    this.#env = {
      HOME: this.home,
      XDG_CONFIG_HOME: join(this.home, ".config"),
      XDG_STATE_HOME: join(this.home, ".state"),
      APPDATA: join(this.home, ".config"),
      LOCALAPPDATA: join(this.home, ".state"),
    };
    for (const name of [".claude", ".cursor", ".codex", ".codeium/windsurf"]) this.make(name);
    const { configHome } = placesOf({ env: this.#env, cwd: this.project });
    for (const name of ["Claude", "Code"]) mkdirSync(join(configHome, name), { recursive: true });
    mkdirSync(this.project);
  }

  make(name: string): void {
    mkdirSync(join(this.home, name), { recursive: true });
  }

  /** Where the client keeps the servers of its user. */
  fileOf(client: ClientName, scope: "user" | "project" = "user"): string {
    const places = placesOf({ env: this.#env, cwd: this.project });
    const own = CLIENTS[client].places(places).filter((place) => place.scope === scope);
    return own[0]?.file ?? assert.fail(`${client} has no file of its ${scope}`);
  }

  run(...argv: string[]): Promise<Ran> {
    return runCli(argv, { cwd: this.project, env: this.#env });
  }

  /** The same, with an address at which nothing answers. */
  connect(...argv: string[]): Promise<Ran> {
    return this.run("connect", ...argv, "--url", NOWHERE);
  }
}

/** A test with a person of its own. */
export function person(work: (person: Person) => Promise<void>): () => Promise<void> {
  return () => inFolder((folder) => work(new Person(folder)));
}

export function write(file: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

export function modeOf(file: string): number {
  return statSync(file).mode & 0o777;
}
