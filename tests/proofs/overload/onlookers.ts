/** Who looks at a gateway while others load it: a load balancer, an operator, and the system it runs on. */
import { sampleOf } from "../../support/faults/samples.ts";
import { ADMIN_TOKEN, type ManagedGateway } from "../managed_gateway.ts";

/** One answer to an onlooker. */
export interface Look {
  readonly page: Page;
  /** When it was asked for, milliseconds since 1970. */
  readonly at: number;
  readonly ms: number;
  /** HTTP status; 0 without an answer. */
  readonly status: number;
}

export type Page = "health" | "ready" | "status";

export interface Weighing {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Resident memory, MB (10^6 bytes). */
  readonly rssMb: number;
}

const LOOK_EVERY_MS = 100;
/** What a load balancer waits at most. */
const PATIENCE_MS = 5000;

export class Onlookers {
  readonly looks: Look[] = [];
  readonly weighings: Weighing[] = [];
  readonly #gateway: ManagedGateway;
  readonly #end = new AbortController();
  readonly #looking: readonly Promise<void>[];

  /** Looks at it until `stop`. */
  constructor(gateway: ManagedGateway) {
    this.#gateway = gateway;
    this.#looking = [
      this.#repeat(() => this.#look("health", new URL("/health", gateway.url))),
      this.#repeat(() => this.#look("ready", new URL("/ready", gateway.url))),
      this.#repeat(() => this.#look("status", new URL(`${gateway.management}/manage/v1/status`))),
      this.#repeat(() => this.#weigh()),
    ];
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#looking);
  }

  async #repeat(act: () => unknown): Promise<void> {
    while (!this.#end.signal.aborted) {
      const rest = new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      await act();
      await rest;
    }
  }

  async #look(page: Page, url: URL): Promise<void> {
    const at = Date.now();
    const begun = performance.now();
    let status = 0;
    try {
      const headers = page === "status" ? { authorization: `Bearer ${ADMIN_TOKEN}` } : {};
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
      await response.text();
      status = response.status;
    } catch {
      // No answer: the status says so.
    }
    this.looks.push({ page, at, ms: performance.now() - begun, status });
  }

  #weigh(): void {
    this.weighings.push({ at: Date.now(), rssMb: sampleOf(this.#gateway.pid, 0).rssMb });
  }
}
