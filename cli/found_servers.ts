/** The servers of the clients on this machine, for `up`: looked at, never changed. */
import { placesOf } from "./clients/places.ts";
import { stateFolder } from "./folders.ts";
import { usable } from "./import/check.ts";
import { findServers, type Found, type FoundServer, tomlOf } from "./import/mod.ts";
import type { Io } from "./io.ts";
import { readLocalGateways } from "./local_gateways.ts";

/** A server that is not started, and why. */
export interface LeftOut {
  readonly name: string;
  readonly reason: string;
}

/** Found servers as a part of a configuration that is written nowhere. */
export interface FoundConfig {
  /** TOML; credentials are references. */
  readonly text: string;
  /** Values of the references that stand in no environment. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly leftOut: readonly LeftOut[];
}

/** How much there is. */
export interface FoundCount {
  /** Entries in all files. */
  readonly entries: number;
  readonly files: number;
  /** Names of the servers, each once. */
  readonly names: readonly string[];
}

/** Looks into the files of all clients. Never fails: what cannot be read is a note. */
export async function lookForServers(io: Io): Promise<Found> {
  const ownUrls = readLocalGateways(stateFolder(io)).flatMap(({ endpoint }) => endpoint ?? []);
  return await findServers(placesOf(io), { env: io.env, ownUrls });
}

export function countOf({ servers, places }: Found): FoundCount {
  const used = places.filter((place) => place.servers.length > 0);
  return {
    entries: used.reduce((sum, place) => sum + place.servers.length, 0),
    files: new Set(used.map(({ file }) => file)).size,
    names: servers.map(({ name }) => name),
  };
}

/** The servers that can be started as they are. */
export async function configOf(found: Found, io: Io): Promise<FoundConfig> {
  const checked = await usable(found, { io, variables: found.secrets });
  const refused = checked.notes.slice(found.notes.length);
  const isReady = ({ needs }: FoundServer) => needs.length === 0;
  return {
    text: tomlOf({ servers: checked.servers.filter(isReady), toolsets: [] }),
    secrets: Object.fromEntries(checked.secrets),
    leftOut: [
      ...refused.map(({ about, text }) => ({ name: about, reason: text })),
      ...checked.servers.filter((server) => !isReady(server)).map(missing),
    ],
  };
}

/** Why a server cannot be started: a variable is not set. */
export function missing({ name, needs }: FoundServer): LeftOut {
  return { name, reason: `${needs.join(", ")} ${needs.length === 1 ? "is" : "are"} not set` };
}
