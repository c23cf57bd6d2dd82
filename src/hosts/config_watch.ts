/** Notices that a configuration file has other content than before. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Cancel, Clock } from "../ports/clock.ts";
import { watchFolders } from "./file_watch.ts";

/** Between two looks without an event: links that are swapped above the folder tell nobody (platform.md 9). */
const LOOK_MS = 5000;
/** Changes that follow each other are waited out at most so long. */
const MAX_QUIET_MS = 5000;

export interface ConfigWatchOptions {
  /** Absolute path. */
  readonly file: string;
  /** Text of the file that is in force. */
  readonly text: string;
  /** Quiet time after a change before the file is read; asked each time. */
  readonly debounceMs: () => number;
  readonly clock: Clock;
  /** Called when the content is another one than at the last call. */
  readonly changed: () => void;
}

/**
 * Watches the file's folder, not the file: a file that is replaced takes its watch with it. A file that is
 * missing or cannot be read says nothing.
 */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  readonly #endLooks: Cancel;
  readonly #endWatch: Cancel;
  #known: string;
  #wait: { readonly since: number; readonly cancel: Cancel } | undefined;
  #stopped = false;

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
    this.#known = hashOf(options.text);
    this.#endWatch = watchFolders([options.file], () => this.#touched());
    this.#endLooks = options.clock.every(LOOK_MS, () => void this.#look());
  }

  stop(): void {
    this.#stopped = true;
    this.#endLooks();
    this.#wait?.cancel();
    this.#endWatch();
  }

  /** Something happened in the folder: waits until it is quiet. */
  #touched(): void {
    const { clock, debounceMs } = this.#options;
    if (this.#stopped) return;
    const now = clock.monotonic();
    const since = this.#wait?.since ?? now;
    this.#wait?.cancel();
    const ms = Math.max(0, Math.min(debounceMs(), since + MAX_QUIET_MS - now));
    const run = () => {
      this.#wait = undefined;
      void this.#compare();
    };
    this.#wait = { since, cancel: clock.after(ms, run) };
  }

  async #look(): Promise<void> {
    const found = await contentHash(this.#options.file);
    if (found !== undefined && found !== this.#known) this.#touched();
  }

  async #compare(): Promise<void> {
    const found = await contentHash(this.#options.file);
    if (this.#stopped || found === undefined || found === this.#known) return;
    this.#known = found;
    this.#options.changed();
  }
}

async function contentHash(file: string): Promise<string | undefined> {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes === undefined ? undefined : hashOf(bytes);
}

function hashOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
