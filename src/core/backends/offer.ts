/** What one backend offers: read after each handshake, and again when it announces a change. */
import type { Cancel } from "../../ports/clock.ts";
import { readCatalog } from "../catalog/read.ts";
import type { BackendCatalog } from "../catalog/types.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Link } from "./link.ts";
import type { BackendPorts } from "./ports.ts";
import { toResult } from "./reply.ts";

/** Backends announce several changes at once; one reading serves them (protocol.md 5). */
const DEBOUNCE_MS = 100;
const ANSWER_MS = 10_000;

export class Offer {
  /** As last read; kept while the backend is away. */
  found: BackendCatalog | undefined;
  readonly #backend: string;
  readonly #ports: BackendPorts;
  readonly #changed: () => void;
  #waiting: Cancel | undefined;

  constructor(backend: string, ports: BackendPorts, changed: () => void) {
    this.#backend = backend;
    this.#ports = ports;
    this.#changed = changed;
  }

  /** Part of it could not be read (a row of `refused` with the name `*`). */
  get isPartial(): boolean {
    return this.found?.refused.some(({ name }) => name === "*") === true;
  }

  /** @throws SentinelError when nothing of it can be read; what was known stays */
  async read(link: Link): Promise<void> {
    const { capabilities, instructions, serverName } = link;
    const request = async (method: string, params: JsonObject) =>
      toResult(await link.request({ method, params, owner: "", timeoutMs: ANSWER_MS }).reply);
    const known = { capabilities, instructions, previous: this.found, clock: this.#ports.clock };
    const found = await readCatalog(request, known, this.#backend);
    this.#compareNames(serverName);
    this.found = { ...found, serverName };
  }

  /** Another name can be another server: only the configuration says who may answer here. */
  #compareNames(after: string | undefined): void {
    const before = this.found?.serverName;
    if (this.found === undefined || before === after) return;
    const names = { before: before ?? null, after: after ?? null };
    this.#ports.log.write("backend.identity_changed", { backend: this.#backend, ...names });
  }

  /** Reads again shortly, once for all announcements until then. */
  rereadSoon(link: () => Link | undefined): void {
    if (this.#waiting !== undefined) return;
    this.#waiting = this.#ports.clock.after(DEBOUNCE_MS, () => {
      this.#waiting = undefined;
      const current = link();
      if (current !== undefined) void this.#reread(current);
    });
  }

  stop(): void {
    this.#waiting?.();
  }

  async #reread(link: Link): Promise<void> {
    try {
      await this.read(link);
      this.#changed();
    } catch (cause) {
      // A lost link reports itself; any other failure keeps the last good lists and is said.
      if (!link.open) return;
      this.#ports.log.write("backend.degraded", { backend: this.#backend, reason: String(cause) });
    }
  }
}
