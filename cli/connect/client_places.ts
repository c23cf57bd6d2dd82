/** Which clients are meant, and which of their files. */
import { existsSync } from "node:fs";
import { suggest } from "../../src/contract/suggest.ts";
import {
  type ClientName,
  type ClientRow,
  CLIENTS,
  type Places,
  type ServerPlace,
} from "../clients/clients.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { visible } from "../text.ts";
import { CONNECT } from "./entries.ts";

export type Scope = ServerPlace["scope"];

export const CLIENT_NAMES = Object.keys(CLIENTS) as ClientName[];

/** @throws CommandFailed for an unknown name */
export function clientNamed(name: string): ClientName {
  const found = CLIENT_NAMES.find((known) => known === name);
  if (found !== undefined) return found;
  const near = suggest(name, CLIENT_NAMES);
  const hint = near === undefined
    ? `there are ${CLIENT_NAMES.join(", ")}`
    : `did you mean ${near}?`;
  throw new CommandFailed(EXIT.usage, `there is no client "${visible(name)}"`, hint);
}

export function titleOf(client: ClientName): string {
  return CLIENTS[client].title;
}

/** Where the client keeps servers it was told of by hand, the place a new entry goes to first. */
export function placesOfClient(
  client: ClientName,
  places: Places,
  scope: Scope | undefined,
): readonly ServerPlace[] {
  const row: ClientRow = CLIENTS[client];
  const all = row.places(places);
  const key = all[0]?.at.at(-1);
  // The file of a related program has its servers under another key.
  const own = all.filter((place) => place.at.at(-1) === key);
  const wanted = own.filter((place) => scope === undefined || place.scope === scope);
  const rank = (place: ServerPlace) => (place.scope === "user" ? 0 : 100) + place.at.length;
  return wanted.toSorted((a, b) => rank(a) - rank(b));
}

/** Where a new entry goes. @throws CommandFailed when the client has no such scope */
export function placeForEntry(
  client: ClientName,
  places: Places,
  scope: Scope | undefined,
): ServerPlace {
  const [first] = placesOfClient(client, places, scope);
  if (first !== undefined) return first;
  const message = `${titleOf(client)} keeps no servers in a project`;
  throw new CommandFailed(EXIT.usage, message, "leave --project out");
}

/** Clients of whose files at least one exists. */
export function clientsWithFiles(places: Places, scope: Scope | undefined): readonly ClientName[] {
  return CLIENT_NAMES.filter((client) =>
    placesOfClient(client, places, scope).some(({ file }) => existsSync(file))
  );
}

/** @throws CommandFailed when nothing of the client is found on this machine */
export function checkInstalled(client: ClientName, places: Places): void {
  const traces = CONNECT[client].traces(places);
  if (traces.some((path) => existsSync(path))) return;
  const message = `${titleOf(client)} does not seem to be installed: no ${
    traces.map(visible).join(", no ")
  }`;
  const hint = `start it once;  mcp-sentinel connect ${client}  shows what to add`;
  throw new CommandFailed(EXIT.failed, message, hint);
}
