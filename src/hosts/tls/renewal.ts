/** Certificates that change while the gateway runs: read again, checked, and given to new connections. */
import { SentinelError } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { watchFolders } from "../file_watch.ts";
import { type LoadedTls, loadTls, type TlsPaths } from "./files.ts";

/** Between two looks without an event: links that are swapped above the folder tell nobody. */
const LOOK_MS = 5000;
/** After an event, until the files are read. */
const QUIET_MS = 200;
/** A pair that is being written gets so long until it is called unusable. */
const PATIENCE_MS = 15_000;

/** A listener whose certificate can change. */
export interface Renewable {
  readonly listener: "server" | "management";
  readonly paths: TlsPaths;
  /** What is in force. */
  readonly loaded: LoadedTls;
  /** New connections get these from now on. @throws when the listener cannot use them */
  readonly renew: (loaded: LoadedTls) => void;
}

export interface RenewalOptions extends Renewable {
  readonly clock: Clock;
  readonly log: Log;
}

/** What is wrong with the files, and since when (monotonic milliseconds). */
interface Problem {
  readonly message: string;
  readonly since: number;
  told: boolean;
}

export class CertificateRenewal {
  readonly #options: RenewalOptions;
  readonly #endWatch: Cancel;
  readonly #endLooks: Cancel;
  #inForce: string;
  #problem: Problem | undefined;
  #wait: Cancel | undefined;
  #looking = false;
  #stopped = false;

  constructor(options: RenewalOptions) {
    this.#options = options;
    this.#inForce = markOf(options.loaded);
    const { cert, key, client_ca: ca } = options.paths;
    const files = ca === undefined ? [cert, key] : [cert, key, ca];
    this.#endWatch = watchFolders(files, () => this.#touched());
    this.#endLooks = options.clock.every(LOOK_MS, () => void this.#look());
  }

  stop(): void {
    this.#stopped = true;
    this.#endWatch();
    this.#endLooks();
    this.#wait?.();
  }

  #touched(): void {
    if (this.#stopped) return;
    this.#wait?.();
    this.#wait = this.#options.clock.after(QUIET_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const { paths, listener } = this.#options;
    try {
      const loaded = await loadTls(paths, `${listener}.tls`);
      if (!this.#stopped) this.#found(loaded);
    } catch (cause) {
      if (!this.#stopped) this.#failed(cause);
    } finally {
      this.#looking = false;
    }
  }

  #found(loaded: LoadedTls): void {
    const mark = markOf(loaded);
    if (mark !== this.#inForce) {
      const { listener, renew, log, clock } = this.#options;
      if (loaded.expiresAt <= clock.now()) {
        throw new SentinelError("CONFIG_INVALID", "Cannot use the certificate: it has expired");
      }
      renew(loaded);
      this.#inForce = mark;
      const expires_at = new Date(loaded.expiresAt).toISOString();
      log.write("tls.renewed", { listener, names: loaded.names, expires_at });
    }
    this.#problem = undefined;
  }

  /** Certificate and key are two files: between the two writes they do not belong together. */
  #failed(cause: unknown): void {
    const { clock, log, listener } = this.#options;
    const message = cause instanceof Error ? cause.message : String(cause);
    const now = clock.monotonic();
    if (this.#problem?.message !== message) this.#problem = { message, since: now, told: false };
    if (this.#problem.told || now - this.#problem.since < PATIENCE_MS) return;
    this.#problem.told = true;
    log.write("tls.rejected", { listener, reason: message });
  }
}

function markOf({ cert, key, clientCa = "" }: LoadedTls): string {
  return `${cert}\n${key}\n${clientCa}`;
}
