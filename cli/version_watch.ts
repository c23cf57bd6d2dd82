/** Gateways of another major version: what can be read is shown, nothing is changed. */
import { type ManagementClient, ManagementError, type RequestRoute } from "../src/client/mod.ts";
import { type RouteRow, ROUTES, type Status } from "../src/contract/manage/mod.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import type { Output } from "./output.ts";
import { visible } from "./text.ts";
import { VERSION } from "./version.ts";

interface Watched {
  readonly client: ManagementClient;
  readonly output: Output;
  /** For the question after the version. */
  readonly wait: { readonly timeoutMs?: number };
}

type Request = (name: RequestRoute, asked?: object) => Promise<unknown>;

/**
 * The client, but an act is refused when the gateway is of another major version, and the first answer that is
 * read comes with a warning that names both.
 */
export function watchVersion({ client, output, wait }: Watched): ManagementClient {
  const send: Request = (name, asked) => (client.request as Request)(name, asked);
  /** It is asked and told once, however many pages a list has. */
  let isKnown = false;
  const tell = (version: string | undefined) => {
    isKnown = true;
    if (version === undefined || isSameMajor(version)) return;
    output.warn(`${both(version)}: what it says may be shown incompletely`);
  };
  const request: Request = async (name, asked) => {
    const row: RouteRow = ROUTES[name];
    if (row.operation === true) refuseOther((await client.request("status", wait)).version);
    const answer = await send(name, asked).catch((thrown) => explain(thrown, client));
    if (isKnown || row.operation === true) return answer;
    tell(name === "status" ? (answer as Status).version : await versionOf(client, wait));
    return answer;
  };
  return { ...client, request: request as ManagementClient["request"] };
}

/** Only a courtesy: without an answer nothing is said. */
async function versionOf(
  client: ManagementClient,
  wait: Watched["wait"],
): Promise<string | undefined> {
  return await client.request("status", wait).then(({ version }) => version, () => undefined);
}

function refuseOther(version: string): void {
  if (isSameMajor(version)) return;
  const hint = "use the command of the gateway's version; what it shows can still be read";
  throw new CommandFailed(EXIT.failed, `${both(version)}: nothing was changed`, hint);
}

/** An answer that does not fit the table is most often one of another version. Always throws. */
async function explain(error: unknown, client: ManagementClient): Promise<never> {
  if (!(error instanceof ManagementError) || error.kind !== "mismatch") throw error;
  const { kind, message, remedy, status, request } = error;
  const traced = request === undefined ? {} : { request };
  const document = await client.request("openapi").catch(() => ({}));
  const { info } = document as { readonly info?: { readonly version?: unknown } };
  const version = info?.version;
  if (typeof version !== "string" || version === VERSION) throw error;
  throw new ManagementError(
    kind,
    `${message}; ${both(version)}`,
    { remedy, status, ...traced },
    error,
  );
}

function both(version: string): string {
  return `the gateway is mcp-sentinel ${visible(version)}, this command is ${VERSION}`;
}

function isSameMajor(version: string): boolean {
  return majorOf(version) === majorOf(VERSION);
}

function majorOf(version: string): string | undefined {
  return version.split(".", 1)[0];
}
