/** Where one form of the program (a bundle, an executable) is tried out as its users do, from outside. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { stringify } from "smol-toml";
import { RunningProgram } from "../support/running_program.ts";
import type { Command } from "../support/runtime.ts";

/** How a form is started with arguments of ours. */
export type Form = (argv: readonly string[]) => Command;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home and a working directory of its own, far from any `node_modules`. */
export class Place {
  readonly folder: string;
  readonly form: Form;
  /** Added to the environment of all programs. */
  readonly variables: Record<string, string> = {};
  readonly #running: RunningProgram[] = [];

  private constructor(folder: string, form: Form) {
    this.folder = folder;
    this.form = form;
  }

  /** Runs `work` in a new place; programs and files are gone afterwards. */
  static async with(form: Form, work: (place: Place) => Promise<void>): Promise<void> {
    const place = new Place(await mkdtemp(join(tmpdir(), "sentinel-form-")), form);
    try {
      await work(place);
    } finally {
      await Promise.all(place.#running.map((program) => program.kill()));
      await rm(place.folder, { recursive: true, force: true });
    }
  }

  get env(): Record<string, string> {
    const { PATH = "" } = process.env;
    return { PATH, HOME: this.folder, NO_COLOR: "1", ...this.variables };
  }

  /** Writes the configuration, in one step; the ports are free ones. */
  async configure(config: Readonly<Record<string, object>>): Promise<string> {
    const path = join(this.folder, "sentinel.toml");
    const listen = "127.0.0.1:0";
    await writeFile(
      `${path}.new`,
      stringify({ server: { listen }, management: { listen }, ...config }),
      { mode: 0o600 },
    );
    await rename(`${path}.new`, path);
    return path;
  }

  /** Runs a command to its end. */
  async run(...argv: readonly string[]): Promise<Finished> {
    const { command, args } = this.form(argv);
    const child = spawn(command, args, { cwd: this.folder, env: this.env, stdio: "pipe" });
    const seen = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (seen.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => void (seen.stderr += text));
    child.stdin.end();
    const [code] = await once(child, "close") as [number | null];
    return { code, ...seen };
  }

  /** What a command printed as JSON. @throws Error with its output when it failed */
  // deno-lint-ignore no-explicit-any -- tests look into answers of any shape
  async json(...argv: readonly string[]): Promise<any> {
    const { code, stdout, stderr } = await this.run(...argv, "--json");
    if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return JSON.parse(stdout);
  }

  /** Starts a command that runs until it is ended. */
  start(...argv: readonly string[]): RunningProgram {
    const program = new RunningProgram(this.form(argv), this.env, this.folder);
    this.#running.push(program);
    return program;
  }
}

/** What `server --json` prints when it listens. */
export const LISTENING = /"url":\s*"(http:[^"]+)"/;
