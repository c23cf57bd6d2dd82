/** What a person adds to a client by hand. */
import { tomlDocument } from "../../src/config/toml.ts";
import type { ClientName, Places, ServerPlace } from "../clients/clients.ts";
import { placeForEntry, type Scope } from "./client_places.ts";
import { CONNECT, type GatewayLink } from "./entries.ts";
import { commandLine } from "./shell.ts";

export interface Advice {
  readonly client: ClientName;
  /** Where the entry belongs. */
  readonly file: string;
  /** The entry as it stands in an otherwise empty file. */
  readonly snippet: string;
  /** The client's own command that adds it. */
  readonly command?: string;
  /** What the client opens to add it. */
  readonly link?: string;
}

interface AdviceRequest {
  readonly link: GatewayLink;
  readonly places: Places;
  readonly scope: Scope | undefined;
}

/** @throws CommandFailed when the client has no such scope */
export function adviceFor(client: ClientName, { link, places, scope }: AdviceRequest): Advice {
  const row = CONNECT[client];
  const place = placeForEntry(client, places, scope);
  const words = row.command?.(link, place.scope);
  const install = row.link?.(link);
  return {
    client,
    file: place.file,
    snippet: snippetOf(place, link.name, row.entry(link)),
    ...(words === undefined ? {} : { command: commandLine(words, places.platform) }),
    ...(install === undefined ? {} : { link: install }),
  };
}

function snippetOf({ format, at }: ServerPlace, name: string, entry: object): string {
  const nested = [...at, name].reduceRight<object>((inner, key) => ({ [key]: inner }), entry);
  return format === "json"
    ? JSON.stringify(nested, null, 2)
    : tomlDocument(nested as Record<string, unknown>).trimEnd();
}
