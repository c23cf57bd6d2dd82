/** Set-ups for `doctor`: a folder with a configuration, and servers that answer in one wrong way. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import { type Check, type Diagnosis, DiagnosisSchema } from "../../src/contract/diagnosis.ts";
import { type FakeIoOptions, type Ran, runCli } from "../cli/fake_io.ts";
import type { Certificate } from "../support/certificates.ts";

export interface Setup extends AsyncDisposable {
  readonly folder: string;
  /** Runs `doctor --json` there. */
  diagnose(words?: readonly string[], options?: FakeIoOptions): Promise<Diagnosed>;
  /** Runs `doctor` as people see it. */
  print(words?: readonly string[], options?: FakeIoOptions): Promise<Ran>;
}

export interface Diagnosed extends Ran, Diagnosis {
  /** The rows of a section, or of one thing of it. */
  of(section: Check["section"], name?: string): readonly Check[];
}

/** Listeners take any free port, so that tests run side by side. */
const LISTEN = '[server]\nlisten = "127.0.0.1:0"\n[management]\nlisten = "127.0.0.1:0"\n';

/** A configuration in a folder of its own. */
export function setUp(toml: string, listen: string = LISTEN): Setup {
  const folder = mkdtempSync(join(tmpdir(), "sentinel-doctor-"));
  writeFileSync(join(folder, "sentinel.toml"), listen + toml, { mode: 0o600 });
  return inFolder(folder);
}

/** A folder without any configuration. */
export function nothingSetUp(): Setup {
  return inFolder(mkdtempSync(join(tmpdir(), "sentinel-doctor-")));
}

function inFolder(folder: string): Setup {
  const run = (words: readonly string[], { env, ...options }: FakeIoOptions = {}) =>
    runCli(["doctor", ...words], {
      cwd: folder,
      ...options,
      env: { HOME: folder, XDG_STATE_HOME: join(folder, "state"), ...env },
    });
  return {
    folder,
    print: (words = [], options) => run(words, options),
    diagnose: async (words = [], options) => diagnosed(await run(["--json", ...words], options)),
    [Symbol.asyncDispose]: () => {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

function diagnosed(ran: Ran): Diagnosed {
  const { schema, ...body } = JSON.parse(ran.out) as { readonly schema: string };
  if (schema !== "mcp-sentinel/v1/doctor") throw new Error(`Not a diagnosis: ${ran.out}${ran.err}`);
  const diagnosis = v.parse(DiagnosisSchema, body);
  return {
    ...ran,
    ...diagnosis,
    of: (section, name) =>
      diagnosis.items.filter((item) =>
        item.section === section && (name === undefined || item.name === name)
      ),
  };
}

export interface OneServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

/** An HTTP server that answers everything in the same way; with a certificate over TLS. */
export async function serve(answer: RequestListener, tls?: Certificate): Promise<OneServer> {
  const server: Server = tls === undefined
    ? createServer(answer)
    : createTlsServer({ cert: tls.cert, key: tls.key }, answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  await using server = await serve(() => {});
  return server.port;
}

/** Tables of a backend that runs a script of the shell. */
export function shellBackend(name: string, script: string): string {
  return `[backends.${name}]\ncommand = "sh"\nargs = ["-c", ${JSON.stringify(script)}]\n`;
}

export interface ServedTools {
  readonly names: readonly string[];
  /** Where it answers; 404 everywhere else. */
  readonly path?: string;
}

/** The least that is an MCP server of the legacy era. */
export function toolServer({ names, path = "/mcp" }: ServedTools): RequestListener {
  const tools = names.map((name) => ({ name, inputSchema: { type: "object" } }));
  const results: Readonly<Record<string, object>> = {
    initialize: {
      protocolVersion: "2025-06-18",
      capabilities: { tools: {} },
      serverInfo: { name: "tools", version: "1" },
    },
    "tools/list": { tools },
    ping: {},
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { id, method } = JSON.parse(await text(request)) as Heard;
    if (id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const result = results[method];
    const body = result === undefined
      ? { error: { code: -32601, message: "Method not found" } }
      : { result };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...body }));
  };
  return (request, response) => {
    if (request.url !== path) response.writeHead(404).end();
    else if (request.method !== "POST") response.writeHead(405).end();
    else answer(request, response).catch((cause) => response.destroy(cause as Error));
  };
}

interface Heard {
  readonly id?: number | string;
  readonly method: string;
}

/** What a broken set-up is told. */
export interface Told {
  readonly section: Check["section"];
  readonly name?: string;
  readonly cause: RegExp;
  readonly cure: RegExp;
}

/** The one row that failed says why and what to do, and makes the exit code. */
export function assertTold(
  found: { readonly code: number; readonly items: readonly Check[] },
  told: Told,
) {
  const failed = found.items.filter(({ level }) => level === "fail");
  assert.equal(failed.length, 1, JSON.stringify(found.items, undefined, 1));
  const [row] = failed;
  assert.equal(row?.section, told.section);
  if (told.name !== undefined) assert.equal(row.name, told.name);
  assert.match([row.text, ...row.detail ?? []].join("\n"), told.cause);
  assert.match(row.cure ?? "", told.cure);
  assert.equal(found.code, 6);
}
