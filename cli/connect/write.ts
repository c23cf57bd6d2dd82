/** `connect --write`: puts the gateway into the files of clients. */
import { existsSync } from "node:fs";
import type { ClientName, Places, ServerPlace } from "../clients/clients.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import { visible } from "../text.ts";
import { Change } from "./change.ts";
import {
  checkInstalled,
  placeForEntry,
  placesOfClient,
  type Scope,
  titleOf,
} from "./client_places.ts";
import { CONNECT, type GatewayLink } from "./entries.ts";
import type { Behind } from "./replace.ts";
import { entryOf } from "./servers_text.ts";
import { isSameTree, type Tree, treeOf } from "./tree.ts";

export interface WriteRequest {
  readonly io: Io;
  readonly link: GatewayLink;
  readonly places: Places;
  readonly scope: Scope | undefined;
  /** Prefers a file that exists to the one a client would be given. */
  readonly onlyExisting: boolean;
  /** With `--replace`: which of a client's entries the gateway has. */
  readonly behind: Behind | undefined;
}

/** What became of one file. */
export interface Written {
  readonly client: ClientName;
  readonly file: string;
  readonly result: "added" | "updated" | "unchanged";
  /** Entries that are behind the gateway now. */
  readonly moved: readonly string[];
  /** Entries that stay, with the reason. */
  readonly stayed: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Writes the entry into the client's file; with `behind`, into every file of it that has servers the gateway
 * has too, in their place. All files are read and edited before the first is written.
 * @throws CommandFailed when one cannot be; files that were written before stay so
 */
export async function writeClient(
  client: ClientName,
  request: WriteRequest,
): Promise<readonly Written[]> {
  const { places, scope, io } = request;
  if (scope !== "project" && !hasFile(client, places)) checkInstalled(client, places);
  const changes = new Map<string, Edited>();
  for (const [index, place] of targetsOf(client, request).entries()) {
    const edited = changes.get(place.file) ??
      new Edited(await Change.of(client, place.file, io), request);
    changes.set(place.file, edited);
    edited.edit(place, index === 0);
  }
  const done: Written[] = [];
  for (const edited of changes.values()) {
    await edited.change.write(io);
    done.push(edited.written());
  }
  return done;
}

function hasFile(client: ClientName, places: Places): boolean {
  return placesOfClient(client, places, undefined).some(({ file }) => existsSync(file));
}

/** One place, or with `--replace` every place that may have servers. */
function targetsOf(client: ClientName, request: WriteRequest): ServerPlace[] {
  const { places, scope, behind, onlyExisting } = request;
  const existing = placesOfClient(client, places, scope).filter(({ file }) => existsSync(file));
  const named = placeForEntry(client, places, scope);
  const first = (onlyExisting ? existing[0] : undefined) ?? named;
  return [
    first,
    ...behind === undefined ? [] : existing.filter((place) => !isSamePlace(place, first)),
  ];
}

function isSamePlace(a: ServerPlace, b: ServerPlace): boolean {
  return a.file === b.file && a.at.join("\n") === b.at.join("\n");
}

/** The edits of one file, and what there is to tell of them. */
class Edited {
  readonly change: Change;
  readonly #request: WriteRequest;
  readonly #moved: string[] = [];
  readonly #stayed: { name: string; reason: string }[] = [];
  #result: Written["result"] = "unchanged";

  constructor(change: Change, request: WriteRequest) {
    this.change = change;
    this.#request = request;
  }

  /** `isFirst`: it gets our entry also when nothing of it is moved. */
  edit(place: ServerPlace, isFirst: boolean): void {
    const { link, behind } = this.#request;
    const { client } = this.change;
    const servers = this.change.servers(place);
    const others = [...servers].filter(([name, entry]) => !this.#isUs(place, name, entry));
    const movable = behind === undefined ? [] : others.filter(([name]) => {
      const reason = behind(client, place, name);
      if (reason !== undefined) this.#stayed.push({ name, reason });
      return reason === undefined;
    });
    for (const [name] of movable) {
      this.change.take(place, name);
      this.#moved.push(name);
    }
    if (isFirst || movable.length > 0) this.#put(place, servers, link);
  }

  written(): Written {
    const { client, file } = this.change;
    const moved = this.#moved;
    return { client, file: file.path, result: this.#result, moved, stayed: this.#stayed };
  }

  #put(place: ServerPlace, servers: ReadonlyMap<string, Tree>, link: GatewayLink): void {
    const { client } = this.change;
    const entry = CONNECT[client].entry(link);
    const before = this.#moved.includes(link.name) ? undefined : servers.get(link.name);
    if (isSameTree(before, treeOf(entry))) return;
    if (before !== undefined && !this.#isUs(place, link.name, before)) {
      throw foreign(client, place, link.name);
    }
    this.change.put(place, link.name, entry);
    if (this.#result !== "added") this.#result = before === undefined ? "added" : "updated";
  }

  /** An entry that we have written, or that leads to this gateway. */
  #isUs(place: ServerPlace, name: string, entry: Tree): boolean {
    if (this.change.isOurs(place, name)) return true;
    const { link } = this.#request;
    const { url, serverUrl } = entryOf(entry) ?? {};
    if (url === link.url || serverUrl === link.url) return true;
    return isSameTree(entry, treeOf(CONNECT[this.change.client].entry(link)));
  }
}

function foreign(client: ClientName, { file }: ServerPlace, name: string): CommandFailed {
  const message = `${titleOf(client)} has a server "${visible(name)}" already, in ${visible(file)}`;
  return new CommandFailed(
    EXIT.failed,
    message,
    "nothing was changed; --name OTHER leaves it alone",
  );
}
