/** `connect --replace`: a client's own servers go behind the gateway; what it does not have yet is imported. */
import { tableAt } from "../../src/config/raw.ts";
import type { ClientName, Places, ServerPlace } from "../clients/clients.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { missing } from "../found_servers.ts";
import { checkWhole, usable } from "../import/check.ts";
import type { EntrySource, Found } from "../import/found.ts";
import { findServers, tomlOf } from "../import/mod.ts";
import { shortened } from "../import/sources.ts";
import { readTarget, type Target } from "../import/target.ts";
import { type Added, configText, writeAll } from "../import/write.ts";
import { asFailure, connectTo } from "../management.ts";
import { counted } from "../output.ts";
import type { TargetRequest } from "../target.ts";
import { visible } from "../text.ts";
import type { GatewayUrl } from "./gateway_url.ts";

/** Why an entry of a client stays where it is; undefined when the gateway has it. */
export type Behind = (client: ClientName, place: ServerPlace, name: string) => string | undefined;

interface ReplaceRequest extends TargetRequest {
  readonly places: Places;
  readonly gateway: GatewayUrl;
}

const NOT_TAKEN = "mcp-sentinel import says why it is not taken over";

/**
 * Imports what the gateway's configuration does not have yet, and tells of each entry whether it has it now.
 * @throws CommandFailed when the gateway has no configuration file here, it cannot be written, or the running
 *   gateway does not take it up; no client's file was changed then
 */
export async function behindGateway(
  clients: readonly ClientName[],
  request: ReplaceRequest,
): Promise<Behind> {
  const { places, gateway, io } = request;
  if (gateway.config === undefined) {
    const message = "this gateway has no configuration file on this machine to move servers into";
    const hint = "mcp-sentinel import --write,  then  mcp-sentinel server";
    throw new CommandFailed(EXIT.failed, message, hint);
  }
  const target = await readTarget(io, gateway.config);
  const variables = { env: io.env, known: target.known };
  const all = await findServers(places, {
    ...variables,
    ...(clients.length === 1 ? { only: clients[0] } : {}),
    ownUrls: [...target.ownUrls, gateway.url],
    backends: tableAt(target.table, "backends"),
  });
  const checked = await usable(all, { io, variables: valuesOf(all, target) });
  // One variable without a value, and the gateway would refuse the whole file.
  const ready = checked.servers.filter(({ needs }) => needs.length === 0);
  const waiting = checked.servers.filter(({ needs }) => needs.length > 0);
  if (ready.length > 0) await take({ ...checked, servers: ready }, target, request);
  const has = idsOf([...ready, ...checked.present]);
  const reasons = new Map(
    waiting.flatMap((server) => [...idsOf([server])].map((id) => [id, missing(server).reason])),
  );
  return (client, { file }, name) => {
    const id = idOf({ client, file: shortened(file, places), name });
    return has.has(id) ? undefined : reasons.get(id) ?? NOT_TAKEN;
  };
}

function valuesOf(found: Found, { known }: Target): ReadonlyMap<string, string> {
  return new Map([...known, ...found.secrets]);
}

function idsOf(servers: readonly { readonly sources: readonly EntrySource[] }[]): Set<string> {
  return new Set(servers.flatMap(({ sources }) => sources.map(idOf)));
}

function idOf({ client, file, name }: EntrySource): string {
  return JSON.stringify([client, file, name]);
}

/** Writes the servers into the configuration, and waits until the gateway has them when it runs. */
async function take(found: Found, target: Target, request: ReplaceRequest): Promise<void> {
  const { io, output } = request;
  const variables = valuesOf(found, target);
  const text = configText(target, tomlOf(found));
  await checkWhole(text, target.config.shown, { io, variables });
  const used = new Set(found.servers.flatMap(({ secrets }) => secrets));
  const secrets = new Map(
    [...found.secrets].filter(([name]) => used.has(name) && !target.known.has(name)),
  );
  const written = await writeAll(target, text, secrets);
  const names = found.servers.map(({ name }) => name).join(", ");
  output.note(`imported ${counted(found.servers.length, "server")}: ${names}`);
  for (const added of [written.config, written.secrets]) {
    if (added !== undefined) output.note(`  in ${addedTo(added)}`);
  }
  await reload(request, written.secrets?.file);
}

function addedTo({ file, isNew, from, to }: Added): string {
  return isNew ? `${file}, a new file` : `${file}, lines ${from} to ${to}`;
}

async function reload(request: ReplaceRequest, secrets: string | undefined): Promise<void> {
  const { local } = request.gateway;
  if (local === undefined) return;
  const { name, management, token } = local;
  const target = { name, url: new URL(management).origin, token, tls: {}, production: false };
  const { client, longWait } = await connectTo(target, request);
  await asFailure(() => client.request("reload", longWait)).catch((thrown: unknown) => {
    if (!(thrown instanceof CommandFailed)) throw thrown;
    const message = `the running gateway did not take the imported servers: ${thrown.message}`;
    const cure = secrets === undefined
      ? "mcp-sentinel validate"
      : `start it anew so that it reads ${visible(secrets)}: without another --env-file`;
    const hint = `${cure}; then repeat this: no client's file was changed`;
    throw new CommandFailed(EXIT.failed, message, hint, thrown.details);
  });
}
