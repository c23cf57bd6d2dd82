/**
 * Connects, cancels and reloads with children that ignore SIGTERM and have grandchildren: what of them is
 * left while the gateway lives, and after it was killed.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { StreamableHTTPClientTransport } from "../support/sdk.ts";
import { callTool, createClient, textOf } from "../scenarios/clients.ts";
import { descendants, type ProcessRow, survivors } from "../scenarios/processes.ts";
import { until } from "../scenarios/until.ts";
import { REPOSITORY, type Runtime } from "../support/runtime.ts";
import { ManagedGateway, type Tables } from "./managed_gateway.ts";

const WAIT_MS = 30_000;
/** Rounds of each kind before the baseline is taken. */
const WARM_UP = 2;
/** Sessions that are open when the gateway is killed. */
const LAST_SESSIONS = 5;
/** A connection of a client that is kept for a moment. */
const SPARE_DESCRIPTORS = 4;
const STUBBORN = {
  command: "/bin/sh",
  args: [`${REPOSITORY}/tests/fixtures/children/stubborn.sh`],
};

export interface ProcessStormOptions {
  /** Each connects, cancels or reloads, in turn. */
  readonly rounds: number;
  readonly runtime: Runtime;
}

/** What the gateway has: processes below it, and its own open descriptors. */
export interface Counts {
  readonly processes: number;
  readonly descriptors: number;
}

export interface ProcessStormReport {
  readonly baseline: Counts;
  /** The highest seen. */
  readonly most: Counts;
  readonly after: Counts;
  /** Processes that lived when the gateway was killed, and how many of them outlived it. */
  readonly killed: number;
  readonly survived: number;
  readonly problems: readonly string[];
}

/** @throws AssertionError when a round does not do what it has to */
export async function processStorm(options: ProcessStormOptions): Promise<ProcessStormReport> {
  const gateway = await ManagedGateway.start(tablesOf(0), options.runtime);
  try {
    return await new ProcessStorm(gateway).run(options.rounds);
  } finally {
    await gateway.remove();
  }
}

class ProcessStorm {
  readonly #gateway: ManagedGateway;
  readonly #kinds: readonly (() => Promise<void>)[];
  #reloads = 0;
  #most: Counts = { processes: 0, descriptors: 0 };

  constructor(gateway: ManagedGateway) {
    this.#gateway = gateway;
    this.#kinds = [() => this.#connect(), () => this.#cancel(), () => this.#reload()];
  }

  async run(rounds: number): Promise<ProcessStormReport> {
    await until(() => this.#connect(), WAIT_MS);
    await this.#rounds(this.#kinds.length * WARM_UP);
    const baseline = await this.#settled();
    await this.#rounds(rounds);
    const after = await this.#settled(baseline);
    const { killed, survived } = await this.#kill();
    const problems = [
      ...after.processes > baseline.processes ? ["processes were left behind"] : [],
      ...after.descriptors > baseline.descriptors + SPARE_DESCRIPTORS
        ? ["descriptors were left behind"]
        : [],
      ...survived.map(({ pid, command }) => `outlived the gateway: ${pid} ${command}`),
    ];
    return { baseline, most: this.#most, after, killed, survived: survived.length, problems };
  }

  async #rounds(count: number): Promise<void> {
    for (let round = 0; round < count; round++) {
      await this.#kinds[round % this.#kinds.length]?.();
      const { processes, descriptors } = await this.#counts();
      this.#most = {
        processes: Math.max(processes, this.#most.processes),
        descriptors: Math.max(descriptors, this.#most.descriptors),
      };
    }
  }

  /** A session with a process of its own, which goes with it. */
  async #connect(): Promise<void> {
    const session = await openSession(this.#gateway.url);
    try {
      assert.match(textOf(await callTool(session.client, "own__pid")), /^\d+$/);
    } finally {
      await session.end();
    }
  }

  /** A call that is given up while the process works on it. */
  async #cancel(): Promise<void> {
    const session = await openSession(this.#gateway.url);
    try {
      const given = new AbortController();
      const call = callTool(session.client, "own__wait", {}, { signal: given.signal });
      const failed = call.then(() => false, () => true);
      await callTool(session.client, "shared__pid");
      given.abort();
      assert.ok(await failed);
    } finally {
      await session.end();
    }
  }

  /** The shared backend's processes are replaced. */
  async #reload(): Promise<void> {
    const gateway = this.#gateway;
    await gateway.replaceFile(gateway.textOf(tablesOf(++this.#reloads)));
    const { status, body } = await gateway.ask("/reload", { method: "POST" });
    assert.equal(status, 200, JSON.stringify(body));
  }

  /** When nothing ends any more; where it is given, at the latest when the baseline is reached. */
  async #settled(baseline?: Counts): Promise<Counts> {
    let counts = await this.#counts();
    const done = async () => {
      const before = counts;
      counts = await this.#counts();
      if (baseline === undefined) assert.deepEqual(counts, before);
      else {
        assert.ok(counts.processes <= baseline.processes);
        assert.ok(counts.descriptors <= baseline.descriptors + SPARE_DESCRIPTORS);
      }
      await new Promise((resolve) => setTimeout(resolve, baseline === undefined ? 1000 : 0));
      if (baseline === undefined) assert.deepEqual(await this.#counts(), counts);
    };
    await until(done, WAIT_MS).catch(() => {});
    return counts;
  }

  async #counts(): Promise<Counts> {
    const { pid } = this.#gateway;
    return {
      processes: (await descendants(pid)).length,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
    };
  }

  async #kill(): Promise<{ killed: number; survived: readonly ProcessRow[] }> {
    for (let session = 0; session < LAST_SESSIONS; session++) {
      const { client } = await openSession(this.#gateway.url);
      await callTool(client, "own__pid");
    }
    const rows = await descendants(this.#gateway.pid);
    await this.#gateway.kill();
    const gone = async () => assert.deepEqual(await survivors(rows), []);
    await until(gone, WAIT_MS).catch(() => {});
    return { killed: rows.length, survived: await survivors(rows) };
  }
}

interface OpenSession {
  readonly client: ReturnType<typeof createClient>;
  end(): Promise<void>;
}

async function openSession(url: URL): Promise<OpenSession> {
  const transport = new StreamableHTTPClientTransport(url);
  const client = createClient();
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return {
    client,
    end: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

/** One process for each session, two that all share and that each reload replaces. */
function tablesOf(reload: number): Tables {
  const stop = { grace: "20ms" };
  return {
    backends: {
      own: { ...STUBBORN, stop, instances: "per-session", restart: { base: "50ms" } },
      shared: { ...STUBBORN, stop, instances: 2, env: { RELOAD: String(reload) } },
    },
  };
}
