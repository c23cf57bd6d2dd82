/** What one backend offers: read after each handshake, and again when it announces a change. */
import type { Cancel } from "../../ports/clock.ts";
import { rereadAfter } from "../catalog/cache_hints.ts";
import { readCatalog } from "../catalog/read.ts";
import type { BackendCatalog } from "../catalog/types.ts";
import type { JsonObject } from "../mcp/json.ts";
import { ALL_CAPABILITIES } from "./declared.ts";
import type { Link } from "./link.ts";
import type { BackendPorts } from "./ports.ts";
import { toResult } from "./reply.ts";

/** Backends announce several changes at once; one reading serves them (protocol.md 5). */
const DEBOUNCE_MS = 100;
const ANSWER_MS = 10_000;
/** No tool hides from who can do everything. */
const EVERYTHING = { capabilities: ALL_CAPABILITIES };

export interface OfferOptions {
  readonly backend: string;
  /** Parameters of tools may be repeated in headers. */
  readonly overHttp: boolean;
  readonly changed: () => void;
}

export class Offer {
  /** As last read; kept while the backend is away. */
  found: BackendCatalog | undefined;
  readonly #options: OfferOptions;
  readonly #ports: BackendPorts;
  #waiting: Cancel | undefined;
  #expiry: Cancel | undefined;

  constructor(options: OfferOptions, ports: BackendPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Part of it could not be read (a row of `refused` with the name `*`). */
  get isPartial(): boolean {
    return this.found?.refused.some(({ name }) => name === "*") === true;
  }

  /** @throws SentinelError when nothing of it can be read; what was known stays */
  async read(link: Link): Promise<void> {
    const { era, capabilities, instructions, serverName } = link;
    const request = async (method: string, params: JsonObject) => {
      const shared = { owner: "", timeoutMs: ANSWER_MS, client: EVERYTHING };
      return toResult(await link.request({ method, params, ...shared }).reply);
    };
    const { clock } = this.#ports;
    const mirrors = era === "modern" && this.#options.overHttp;
    const known = { era, mirrors, capabilities, instructions, previous: this.found, clock };
    const found = await readCatalog(request, known, this.#options.backend);
    this.#compareNames(serverName);
    this.found = { ...found, serverName };
    this.#ports.memory?.keep(this.#options.backend, this.found, clock.monotonic());
    this.#rereadOnExpiry(link);
  }

  /** What the backend says about how long its lists hold is kept to, whether it announces changes or not. */
  #rereadOnExpiry(link: Link): void {
    this.#expiry?.();
    const { clock, random } = this.#ports;
    const ms = this.found && rereadAfter(this.found, random.fraction());
    this.#expiry = ms === undefined ? undefined : clock.after(ms, () => {
      if (link.open) void this.#reread(link);
    });
  }

  /** Another name can be another server: only the configuration says who may answer here. */
  #compareNames(after: string | undefined): void {
    const before = this.found?.serverName;
    if (this.found === undefined || before === after) return;
    const names = { before: before ?? null, after: after ?? null };
    this.#ports.log.write("backend.identity_changed", { backend: this.#options.backend, ...names });
  }

  /** Reads again shortly, once for all announcements until then. */
  rereadSoon(link: () => Link | undefined): void {
    this.#ports.memory?.outdated(this.#options.backend);
    if (this.#waiting !== undefined) return;
    this.#waiting = this.#ports.clock.after(DEBOUNCE_MS, () => {
      this.#waiting = undefined;
      const current = link();
      if (current !== undefined) void this.#reread(current);
    });
  }

  stop(): void {
    this.#waiting?.();
    this.#expiry?.();
  }

  async #reread(link: Link): Promise<void> {
    try {
      await this.read(link);
      this.#options.changed();
    } catch (cause) {
      // A lost link reports itself; any other failure keeps the last good lists and is said.
      if (!link.open) return;
      this.#ports.log.write("backend.degraded", {
        backend: this.#options.backend,
        reason: String(cause),
      });
      this.#rereadOnExpiry(link);
    }
  }
}
