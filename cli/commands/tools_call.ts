import type { Ask } from "../mcp/client.ts";
import { parseDuration } from "../../src/contract/units.ts";
import { suggest } from "../../src/contract/suggest.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { interruption } from "../interruption.ts";
import { asFailure, connect } from "../management.ts";
import { resultLines } from "../mcp/result_lines.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { milliseconds, visible } from "../text.ts";
import { tlsFetch } from "../tls_fetch.ts";
import { bearerToken } from "../token_input.ts";
import { readArguments } from "../tool_arguments.ts";
import { checkedUrl } from "../url.ts";

interface CallRequest extends TargetRequest {
  readonly options: TargetOptions & {
    readonly args?: string;
    /** Endpoint for MCP clients, instead of what the gateway says. */
    readonly url?: string;
    readonly tokenEnv?: string;
    readonly tokenFile?: string;
  };
  readonly name: string;
  /** `name=value` each. */
  readonly pairs: readonly string[];
}

/** Without `--timeout` the gateway decides how long a tool may take, and Ctrl-C cancels. */
const LONGEST_MS = 24 * 3_600_000;
/** Where the client's token is by default, as for `stdio`. */
const TOKEN = "SENTINEL_TOKEN";

/** Calls a tool through the gateway as any client would; exit code 1 when the tool says that it failed. */
export async function callTool(request: CallRequest): Promise<number> {
  const { io, output, name } = request;
  const endpoint = await endpointOf(request);
  const token = await tokenOf(request);
  const stop = interruption(io);
  const { withMcp } = await import("../mcp/client.ts");
  try {
    const asked = { io, output, ...endpoint, token, signal: stop.signal };
    const { result, durationMs } = await withMcp(
      asked,
      (ask) => call(ask, request, stop.signal),
    );
    const isError = result["isError"] === true;
    if (output.isJson) {
      const { url: from } = endpoint;
      output.json("tool-result", { tool: name, endpoint: from, isError, durationMs, result });
    } else {
      for (const line of resultLines(result)) output.line(line);
      if (isError) {
        output.problem(`${output.paintError("error", "error:")} the tool says it failed`);
      }
      output.note(`${visible(name)} answered in ${milliseconds(durationMs)}`);
    }
    return isError ? EXIT.failed : EXIT.done;
  } catch (thrown) {
    if (stop.signal.aborted) return EXIT.interrupted;
    throw thrown;
  } finally {
    stop.end();
  }
}

interface Called {
  readonly result: Readonly<Record<string, unknown>>;
  readonly durationMs: number;
}

async function call(ask: Ask, request: CallRequest, signal: AbortSignal): Promise<Called> {
  const { io, output, options, name, pairs } = request;
  const schema = pairs.length === 0 ? undefined : await schemaOf(ask, name);
  const args = await readArguments({ io, json: options.args, pairs, schema });
  const timeout = Math.min(parseDuration(options.timeout ?? "") ?? LONGEST_MS, LONGEST_MS);
  const started = io.clock.now();
  try {
    const result = await ask("tools/call", { name, arguments: args }, {
      signal,
      timeout,
      resetTimeoutOnProgress: true,
      onprogress: ({ progress, total, message = "" }) => {
        const of = total === undefined ? "" : `/${total}`;
        output.note(visible(`progress ${progress}${of} ${message}`).trimEnd());
      },
    });
    return { result, durationMs: io.clock.now() - started };
  } catch (thrown) {
    throw await withSuggestion(thrown, ask, name);
  }
}

/** Undefined for a tool that is not there: the call will say so. */
async function schemaOf(ask: Ask, name: string): Promise<unknown> {
  for await (const tool of toolsOf(ask)) if (tool["name"] === name) return tool["inputSchema"];
  return undefined;
}

async function* toolsOf(ask: Ask): AsyncGenerator<Readonly<Record<string, unknown>>> {
  let cursor: unknown;
  do {
    const page = await ask("tools/list", cursor === undefined ? {} : { cursor });
    if (Array.isArray(page["tools"])) yield* page["tools"];
    cursor = page["nextCursor"];
  } while (cursor !== undefined);
}

/** Hidden and unknown tools are one answer: only what the caller may see is suggested. */
async function withSuggestion(thrown: unknown, ask: Ask, name: string): Promise<unknown> {
  if (!(thrown instanceof Error) || !/Unknown tool: /.test(thrown.message)) return thrown;
  const names: string[] = [];
  try {
    for await (const tool of toolsOf(ask)) names.push(String(tool["name"]));
  } catch {
    return thrown; // the suggestion is a courtesy
  }
  const near = suggest(name, names);
  const hint = near === undefined ? "mcp-sentinel tools list" : `did you mean ${visible(near)}?`;
  return new CommandFailed(EXIT.failed, `there is no tool "${visible(name)}"`, hint);
}

interface Endpoint {
  readonly url: string;
  readonly fetch: typeof fetch;
}

/** What was given, else what the gateway says of itself. */
async function endpointOf(request: CallRequest): Promise<Endpoint> {
  const { url: given } = request.options;
  if (given !== undefined) {
    const url = checkedEndpoint(given);
    return { url, fetch: url.startsWith("https:") ? await tlsFetch({}) : fetch };
  }
  const { client, target, wait } = await connect(request);
  const { endpoint: url } = await asFailure(() => client.request("status", wait));
  if (url === undefined) {
    const message = `${target.name} listens for no MCP clients`;
    throw new CommandFailed(EXIT.failed, message, "--url names another endpoint");
  }
  const { ca } = target.tls;
  const authority = ca === undefined ? {} : { ca };
  return { url, fetch: url.startsWith("https:") ? await tlsFetch(authority) : fetch };
}

/** Held to the same rules as addresses of gateways, but it has a path. @throws CommandFailed */
function checkedEndpoint(text: string): string {
  if (!URL.canParse(text)) return checkedUrl(text);
  const root = new URL(text);
  const path = root.pathname;
  root.pathname = "/";
  return checkedUrl(root.href) + path;
}

async function tokenOf({ io, options }: CallRequest): Promise<string | undefined> {
  const { tokenEnv, tokenFile } = options;
  if (tokenEnv !== undefined && tokenFile !== undefined) {
    throw new CommandFailed(EXIT.usage, "give --token-env or --token-file, not both");
  }
  if (tokenEnv === undefined && tokenFile === undefined) {
    return io.env[TOKEN] === undefined ? undefined : await bearerToken({ io, variable: TOKEN });
  }
  return await bearerToken({ io, variable: tokenEnv, file: tokenFile });
}
