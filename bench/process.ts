import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { BenchError } from "./errors.ts";
import type { LoadTarget } from "./load.ts";

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 5_000;
const KEPT_STDERR = 4096;
/** What a target says when it listens: one flat object. */
const SAID = /\{[^{}]*\}/;

const started = new Set<ChildProcess>();

/** Kills at once whatever `start` has started: for the end of this process. */
export function killStarted(): void {
  for (const child of started) child.kill("SIGKILL");
}

/** A running target. Times are milliseconds since its spawn. */
export interface Running extends LoadTarget {
  /** Where a gateway's management API is. */
  readonly management: URL | undefined;
  /** When it said that it listens. */
  readonly listeningMs: number;
  readonly spawnedAt: number;
  /** Asks it to end (SIGTERM), then makes it (SIGKILL after 5 s). Never rejects. */
  stop(): Promise<void>;
}

/**
 * Starts a program that prints a JSON object with `url` once it listens.
 * @throws BenchError with the end of its stderr when it exits, or says nothing for 20 s.
 */
export async function start(command: readonly string[]): Promise<Running> {
  const [file = "", ...args] = command;
  const spawnedAt = performance.now();
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  started.add(child);
  child.once("exit", () => started.delete(child));
  const stop = () => end(child);
  try {
    const { url, management } = JSON.parse(await announcement(child)) as Endpoints;
    return {
      url: new URL(url),
      management: management === undefined ? undefined : new URL(management),
      pid: child.pid ?? 0,
      spawnedAt,
      listeningMs: performance.now() - spawnedAt,
      stop,
    };
  } catch (error) {
    await stop();
    throw new BenchError(`Cannot start "${command.join(" ")}": ${String(error)}`, error);
  }
}

interface Endpoints {
  readonly url: string;
  readonly management?: string;
}

function announcement(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    let complaint = "";
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    const fail = (why: string) => settle(() => reject(new BenchError(`${why}: ${complaint}`)));
    const timer = setTimeout(() => fail("no endpoint in time"), START_LIMIT_MS);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => fail(`exit code ${code}`));
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      complaint = (complaint + chunk).slice(-KEPT_STDERR);
    });
    child.stdout?.setEncoding("utf8").on("data", function read(chunk: string) {
      said += chunk;
      const found = SAID.exec(said)?.[0];
      if (found === undefined) return;
      child.stdout?.off("data", read).resume();
      settle(() => resolve(found));
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
  child.kill("SIGTERM");
  await exited;
  clearTimeout(timer);
}
