/** What a gateway holds that was started as `weighed_gateway.ts`. */
import assert from "node:assert/strict";
import process from "node:process";
import { until } from "../scenarios/until.ts";
import type { ManagedGateway } from "./managed_gateway.ts";

/** Program of a gateway that can be weighed, for `ManagedGateway.start`. */
export const WEIGHED = "tests/proofs/weighed_gateway.ts";

const WAIT_MS = 60_000;

/** MB are 10^6 bytes. */
export interface Held {
  /** On the language's heap after a collection that was asked for. */
  readonly heapMb: number;
  /** Pages the heap has, in use or not. */
  readonly pagesMb: number;
}

export class Scales {
  readonly #gateway: ManagedGateway;
  #weighings = 0;

  constructor(gateway: ManagedGateway) {
    this.#gateway = gateway;
  }

  /** @throws AssertionError when the gateway does not say it within a minute */
  async weigh(): Promise<Held> {
    const gateway = this.#gateway;
    process.kill(gateway.pid, "SIGUSR2");
    const said = new RegExp(`weighed ${++this.#weighings}: (\\d+) (\\d+)\n`);
    const [heapMb = 0, pagesMb = 0] = await until(() => {
      const bytes = said.exec(gateway.stderr)?.slice(1);
      assert.ok(bytes !== undefined, "The gateway does not say what it holds");
      return bytes.map((text) => Number(text) / 1e6);
    }, WAIT_MS);
    return { heapMb, pagesMb };
  }
}
