import {
  type MemorySessionOptions,
  MemorySessionStore,
} from "../../stores/memory/session_store.ts";
import { sha256 } from "./sha256.ts";

/** Keeps no session; its secrets are the same wherever the key is. */
export class NoSessions extends MemorySessionStore {
  readonly #key: string;

  constructor(key: string, options: MemorySessionOptions) {
    super({ ...options, isShared: false });
    this.#key = key;
  }

  override secret(name: string): Promise<string> {
    return Promise.resolve(sha256(`${name}\n${this.#key}`));
  }
}
