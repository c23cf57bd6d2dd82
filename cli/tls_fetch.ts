/** `fetch` over TLS with a certificate authority and a client certificate, the same on all runtimes. */
import { readFile } from "node:fs/promises";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { CommandFailed, EXIT } from "./exit.ts";

/** PEM files. */
export interface TlsFiles {
  /** Whom to trust instead of the authorities the runtime knows. */
  readonly ca?: string;
  /** Who we are. */
  readonly cert?: string;
  readonly key?: string;
}

/** Reads the files. @throws CommandFailed for one that cannot be read or is not PEM */
export async function tlsFetch(files: TlsFiles): Promise<typeof fetch> {
  const [ca, cert, key] = await Promise.all([pem(files.ca), pem(files.cert), pem(files.key)]);
  const agent = new Agent({
    minVersion: "TLSv1.2",
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  return (input, init) => exchange(new Request(input, init), agent);
}

/** Redirects are answers like any other. */
async function exchange(asked: Request, agent: Agent): Promise<Response> {
  const body = asked.body === null ? undefined : new Uint8Array(await asked.arrayBuffer());
  const outgoing = request(asked.url, {
    agent,
    method: asked.method,
    headers: Object.fromEntries(asked.headers),
    signal: asked.signal,
  });
  outgoing.end(body);
  const incoming = await responseTo(outgoing);
  const status = incoming.statusCode ?? 0;
  const isEmpty = status === 204 || status === 304 || asked.method === "HEAD";
  return new Response(isEmpty ? null : bodyOf(incoming), { status, headers: headersOf(incoming) });
}

function responseTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve);
    // Stays for good: a connection that breaks later is an error of the body, and one of the request too.
    outgoing.on("error", reject);
  });
}

/** Read as it is asked for, so that nothing piles up. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
    cancel: () => void incoming.destroy(),
  }, { highWaterMark: 0 });
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? "", rawHeaders[index + 1] ?? "");
  }
  return headers;
}

async function pem(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const text = await readFile(file, "utf8").catch((thrown: unknown) => {
    throw new CommandFailed(EXIT.usage, `cannot read "${file}": ${(thrown as Error).message}`);
  });
  if (text.includes("-----BEGIN ")) return text;
  throw new CommandFailed(EXIT.usage, `"${file}" holds no certificate or key in PEM form`);
}

const PROBLEMS: readonly (readonly [RegExp, string, string])[] = [
  [
    /CERT_HAS_EXPIRED|certificate has expired|certificate expired|CERTIFICATE_EXPIRED/i,
    "a certificate has expired",
    "ask who runs the gateway for a new one",
  ],
  [
    /ALTNAME_INVALID|NotValidForName|Hostname\/IP does not match/i,
    "its certificate is for another name",
    "use the name the certificate was made for",
  ],
  [
    /CERTIFICATE_REQUIRED|certificate required|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA\b|unknown ca/i,
    "it wants a client certificate that it trusts",
    "give one with --cert and --key of the profile, or --management-tls-cert and -key",
  ],
  [
    /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|UnknownIssuer|self.signed|unable to (verify|get)/i,
    "its certificate is not from an authority this machine trusts",
    "name the authority with --ca of the profile, or --management-mtls-ca",
  ],
  [
    /WRONG_VERSION_NUMBER|wrong version number|packet length too long/i,
    "it does not speak TLS there",
    "use http:// for an address of this machine",
  ],
  [/KEY_VALUES_MISMATCH|key values mismatch/i, "certificate and key do not belong together", ""],
];

/** What is wrong with certificates when an exchange failed, and what to do; undefined when it is not that. */
export function certificateProblem(
  thrown: unknown,
): { readonly what: string; readonly hint: string } | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 8; depth++) {
    const text = `${(error as NodeJS.ErrnoException).code ?? ""} ${error.message}`;
    const found = PROBLEMS.find(([pattern]) => pattern.test(text));
    if (found !== undefined) return { what: found[1], hint: found[2] };
    error = error.cause;
  }
  return undefined;
}
