/** What a backend has forgotten with main connections that were made anew: said to operators. */
import type { Link } from "./link.ts";
import type { BackendPorts } from "./ports.ts";
import type { Replayed } from "./upstream.ts";

/** Lines that are kept; the oldest go first. */
const MAX_LINES = 20;
/** URIs that one line names. */
const MAX_NAMED = 5;

export class StateLoss {
  readonly #backend: string;
  readonly #ports: Pick<BackendPorts, "clock" | "log">;
  readonly #lines: string[] = [];
  #wasConnected = false;

  constructor(backend: string, ports: Pick<BackendPorts, "clock" | "log">) {
    this.#backend = backend;
    this.#ports = ports;
  }

  /** In words, newest last. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** There is a new main link, and it was told what the one before knew. */
  connected(link: Link, { told, refused }: Replayed): void {
    const isFirst = !this.#wasConnected;
    this.#wasConnected = true;
    // A modern backend keeps nothing: each request says everything.
    if (isFirst || (link.era === "modern" && refused.length === 0)) return;
    const { clock, log } = this.#ports;
    const lost = wordsOf(link, refused);
    this.#lines.push(`${new Date(clock.now()).toISOString()} ${lost}`);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    log.write("backend.state_lost", { backend: this.#backend, lost, told: told.join(", ") });
  }
}

function wordsOf(link: Link, refused: readonly string[]): string {
  const kept = link.era === "modern" ? [] : ["whatever it kept of the connection before"];
  if (refused.length === 0) return kept.join();
  const named = refused.slice(0, MAX_NAMED).map((uri) => uri.slice(0, 200)).join(", ");
  const more = refused.length > MAX_NAMED ? `, and ${refused.length - MAX_NAMED} more` : "";
  return [...kept, `subscriptions: ${named}${more}`].join("; ");
}
