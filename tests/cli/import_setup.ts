/** A person's folders with files of clients, and `import` run in them. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ClientName, CLIENTS } from "../../cli/clients/clients.ts";
import { placesOf } from "../../cli/clients/places.ts";
import { type FakeIoOptions, type Ran, runCli } from "./fake_io.ts";

export interface Person {
  readonly home: string;
  /** The folder commands run in. */
  readonly project: string;
  /** Writes a file, by its path below the home folder or absolute. */
  write(path: string, text: string): string;
  /** Writes a file of a client: where it keeps its servers, the first place of its own scope. */
  writeClient(client: ClientName, text: string): string;
  read(path: string): string;
  exists(path: string): boolean;
  /** `mcp-sentinel import …` in the project. */
  import(argv: readonly string[], options?: FakeIoOptions): Promise<Ran>;
  run(argv: readonly string[], options?: FakeIoOptions): Promise<Ran>;
}

/** The place that belongs to most of a client's people. */
const PLACE: Readonly<Record<ClientName, "project" | "user">> = {
  "claude-desktop": "user",
  "claude-code": "project",
  cursor: "user",
  vscode: "project",
  codex: "user",
  windsurf: "user",
};

/** Runs `work` for a person who has nothing yet; everything is gone afterwards. */
export async function asPerson<Result>(work: (person: Person) => Promise<Result>): Promise<Result> {
  const home = mkdtempSync(join(tmpdir(), "sentinel-import-"));
  const project = join(home, "project");
  mkdirSync(project);
  try {
    return await work(personOf(home, project));
  } finally {
    rmSync(home, { recursive: true });
  }
}

function personOf(home: string, project: string): Person {
  const env = { HOME: home, XDG_STATE_HOME: join(home, "state") };
  const places = placesOf({ env, cwd: project });
  const at = (path: string) => path.startsWith("/") ? path : join(home, path);
  const write = (path: string, text: string) => {
    const file = at(path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const run: Person["run"] = (argv, options = {}) =>
    runCli(argv, { cwd: project, ...options, env: { ...env, ...options.env } });
  return {
    home,
    project,
    write,
    writeClient: (client, text) => {
      const rows = CLIENTS[client].places(places);
      const place = rows.find(({ scope, at }) => scope === PLACE[client] && at.length === 1);
      if (place === undefined) throw new Error(`Cannot place a file of ${client}: no such scope`);
      return write(place.file, text);
    },
    read: (path) => readFileSync(at(path), "utf8"),
    exists: (path) => existsSync(at(path)),
    import: (argv, options) => run(["import", ...argv], options),
    run,
  };
}

/** What a fixture of `tests/fixtures/clients` holds: a client's file, and what `import` makes of it. */
export interface ClientFixture {
  readonly client: ClientName;
  readonly input: string;
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

const FOLDER = new URL("../fixtures/clients/", import.meta.url);
const PARTS =
  /^(?<input>[^]*?)=== stdout\n(?<out>[^]*)=== stderr\n(?<err>[^]*)=== exit (?<code>\d+)\n$/;

function fixtureFile(client: ClientName, name: string): URL {
  return new URL(`${client}_${name}.txt`, FOLDER);
}

export function readFixture(client: ClientName, name: string): ClientFixture {
  const text = readFileSync(fixtureFile(client, name), "utf8");
  const { input = text, out = "", err = "", code = "0" } = PARTS.exec(text)?.groups ?? {};
  return { client, input, out, err, code: Number(code) };
}

/** What `import` says of a client's file, with the folders of the run written as `/home/me`. */
export async function imported(
  { client, input }: ClientFixture,
): Promise<Omit<ClientFixture, "input">> {
  return await asPerson(async (person) => {
    person.writeClient(client, input);
    person.write(
      "project/.env.service",
      "EXTRA_KEY=from-env-file\nSERVICE_TOKEN=not-used\nDEBUG=1\n",
    );
    const { code, out, err } = await person.import(["--from", client]);
    const plain = (text: string) => text.replaceAll(person.home, "/home/me");
    return { client, out: plain(out), err: plain(err), code };
  });
}
