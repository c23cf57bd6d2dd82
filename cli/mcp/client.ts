/** A client of a gateway's MCP endpoint, for one command. */
import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { visible } from "../text.ts";
import { VERSION } from "../version.ts";
import { askPerson } from "./ask.ts";
import { callFailure } from "./failure.ts";
import {
  Client,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResultSchema,
  StreamableHTTPClientTransport,
  type Transport,
} from "./sdk.ts";

type RequestOptions = Parameters<Client["request"]>[2];
type Result = Readonly<Record<string, unknown>>;

/** Asks and takes the answer as it comes: schemas of the SDK would refuse what backends answer beyond them. */
export type Ask = (method: string, params: Result, options?: RequestOptions) => Promise<Result>;

export interface McpRequest {
  readonly io: Pick<Io, "ask">;
  readonly output: Output;
  readonly url: string;
  readonly token: string | undefined;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}

/** Runs `work` with a session, which ends afterwards. @throws CommandFailed for what cannot be done */
export async function withMcp<Value>(
  request: McpRequest,
  work: (ask: Ask) => Promise<Value>,
): Promise<Value> {
  const { io: { ask: person }, output, url, token, fetch, signal } = request;
  const client = new Client({ name: "mcp-sentinel-cli", version: VERSION }, {
    capabilities: person === undefined ? {} : { elicitation: { form: {} } },
  });
  if (person !== undefined) answerQuestions(client, person, output);
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    const { level, logger, data } = params;
    const text = typeof data === "string" ? data : JSON.stringify(data);
    output.note(visible(`${level}${logger === undefined ? "" : ` ${logger}`}: ${text}`));
  });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch,
    requestInit: { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } },
  });
  try {
    await client.connect(transport as Transport, { signal });
    return await work((method, params, options) =>
      client.request({ method, params: { ...params } }, ResultSchema, options)
    );
  } catch (thrown) {
    throw signal.aborted ? signal.reason : callFailure(thrown, url);
  } finally {
    // The session is of no use to anybody else; a gateway that is gone has forgotten it.
    await transport.terminateSession().catch(() => undefined);
    await client.close();
  }
}

/** One question at a time: a tool may ask several. */
function answerQuestions(
  client: Client,
  ask: (question: string) => Promise<string>,
  output: Output,
): void {
  let last: Promise<unknown> = Promise.resolve();
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
    if (params.mode === "url") return { action: "decline" };
    const before = last;
    const answer = before.then(() => askPerson(params, ask, output));
    last = answer.catch(() => undefined);
    return await answer;
  });
}
