/** Where the sessions of a gateway are kept beside its memory. */
import type { Clock } from "../ports/clock.ts";
import type { SessionStore } from "../ports/session_store.ts";
import { MemorySessionStore } from "../stores/memory/session_store.ts";
import { systemRandom } from "./random.ts";

export function openSessionStore(clock: Clock): SessionStore {
  return new MemorySessionStore({ clock, random: systemRandom });
}
