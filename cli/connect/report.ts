/** What `connect` tells a person. */
import { type ClientName, CLIENTS, type Places } from "../clients/clients.ts";
import type { Output } from "../output.ts";
import { visible } from "../text.ts";
import { titleOf } from "./client_places.ts";
import type { GatewayLink } from "./entries.ts";
import type { GatewayUrl } from "./gateway_url.ts";
import type { Advice } from "./print.ts";
import type { Undone } from "./undo.ts";
import type { Written } from "./write.ts";

/** Entry, command and link of a client. */
export function printAdvice(
  { client, file, snippet, command, link }: Advice,
  output: Output,
): void {
  const title = output.paint("strong", titleOf(client));
  output.line(`${title}: add to ${visible(file)}`);
  output.line();
  for (const line of snippet.split("\n")) output.line(`  ${visible(line)}`);
  output.line();
  if (command !== undefined) output.line(`or run   ${visible(command)}`);
  if (link !== undefined) output.line(`or open  ${link}`);
  if (command !== undefined || link !== undefined) output.line();
}

const RESULTS: { readonly [Result in Written["result"]]: string } = {
  added: "added to",
  updated: "brought up to date in",
  unchanged: "is in",
};

/** What became of a file. */
export function writtenLines(
  { client, file, result, moved, stayed }: Written,
  link: GatewayLink,
): string[] {
  const already = result === "unchanged" ? " already; nothing was changed" : "";
  const done = moved.length > 0 && result === "unchanged" ? "" : already;
  return [
    `${titleOf(client)}: "${link.name}" ${RESULTS[result]} ${visible(file)}${done}`,
    ...(moved.length === 0 ? [] : [`  behind the gateway now: ${moved.map(visible).join(", ")}`]),
    ...stayed.map(({ name, reason }) => `  stays: ${visible(name)} (${reason})`),
  ];
}

interface Remarkable {
  readonly output: Output;
  readonly gateway: GatewayUrl;
  readonly link: GatewayLink;
  readonly places: Places;
  readonly options: { readonly tokenFile?: string };
}

/** What has to be so for the entry to work. */
export function remark(clients: readonly ClientName[], request: Remarkable): void {
  const { output, gateway, link, places, options } = request;
  const { isUp, signIn, url, config } = gateway;
  if (!isUp) {
    const start = config === undefined ? "" : `: mcp-sentinel server -c ${visible(config)}`;
    output.warn(`nothing answers at ${url} yet${start}`);
  }
  if (link.token === undefined) return;
  const set = places.platform === "win32" ? `setx ${link.token} …` : `export ${link.token}=…`;
  const why = signIn ? "sign-in is on: the" : "the";
  output.note(`${why} client takes the token from the variable ${link.token}: ${set}`);
  const starters = clients.filter((client) => !CLIENTS[client].opensUrls);
  if (starters.length > 0 && options.tokenFile === undefined) {
    const names = starters.map(titleOf).join(", ");
    output.note(`${names} may pass on no variables; --token-file FILE is read in their place`);
  }
}

const UNDONE: { readonly [How in Undone["how"]]: string } = {
  restored: "is as it was before, byte for byte",
  removed: "is removed; it did not exist before",
  edited: "was edited since: only what connect did was taken back",
  gone: "is gone; there was nothing to take back",
};

/** How far a file came back. */
export function undoneLines({ client, file, how, copy }: Undone): string[] {
  return [
    `${titleOf(client)}: ${visible(file)} ${UNDONE[how]}`,
    ...(copy === undefined ? [] : [`  the copy from before is kept: ${visible(copy)}`]),
  ];
}
