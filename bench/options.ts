import { parseArgs } from "node:util";
import { BenchError } from "./errors.ts";

export const RUNTIMES = ["node", "bun", "deno"] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

export const SECTIONS = ["http", "stdio", "full", "eras", "startup", "polled"] as const;
export type Section = (typeof SECTIONS)[number];

/** What one run measures, and for how long. */
export interface Options {
  readonly rounds: number;
  /** Numbers of connections for echoes of 64 bytes, each with one request under way. */
  readonly inFlight: readonly number[];
  readonly runtimes: readonly RuntimeName[];
  readonly sections: readonly Section[];
  readonly sliceMs: number;
  /** Load before each slice, which does not count. */
  readonly leadMs: number;
  /** Load on each target before the first slice. */
  readonly warmUpMs: number;
  /** Starts of each program in the start-up section. */
  readonly starts: number;
  /** Replace `bench/RESULTS.md` with this run. */
  readonly write: boolean;
}

/**
 * Reads the command line; every option has a default.
 * @throws BenchError for a value that is not one of those offered, or a run too partial to be written.
 */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string" },
      "in-flight": { type: "string" },
      runtimes: { type: "string", default: RUNTIMES.join() },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
    },
  });
  const { quick, write } = values;
  const partial = quick || values.only !== undefined || values["in-flight"] !== undefined ||
    values.runtimes !== RUNTIMES.join();
  if (write && partial) {
    throw new BenchError("Run all sections on all runtimes to write results: got a partial run");
  }
  return {
    rounds: count("--rounds", values.rounds ?? (quick ? "5" : "9")),
    inFlight: (values["in-flight"] ?? (quick ? "32" : "1,32")).split(",")
      .map((item) => count("--in-flight", item)),
    runtimes: choices("--runtimes", values.runtimes, RUNTIMES),
    sections: choices("--only", values.only ?? SECTIONS.join(), SECTIONS),
    // Rounds: what else the machine does then falls on both sides of a ratio. A target that idled while the others
    // had their turn runs cold at first, which is not how gateways run under load: that does not count.
    sliceMs: quick ? 800 : 1000,
    leadMs: 700,
    warmUpMs: quick ? 3000 : 6000,
    starts: quick ? 3 : 9,
    write,
  };
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new BenchError(`Give ${option} whole numbers from 1 to 1000: got "${text}"`);
}

function choices<T extends string>(option: string, text: string, offered: readonly T[]): T[] {
  return text.split(",").map((item) => {
    const choice = offered.find((candidate) => candidate === item);
    if (choice) return choice;
    throw new BenchError(`Give ${option} some of "${offered.join(",")}": got "${item}"`);
  });
}
