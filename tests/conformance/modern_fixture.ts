/** The fixtures as a server without sessions serves them: one server for each request, on the official SDK. */
import {
  createMcpHandler,
  createRequestStateCodec,
  fromJsonSchema,
  type InputRequests,
  inputRequired,
  type McpHttpHandler,
  McpServerV2,
  ProtocolErrorV2,
  type ServerContext,
} from "../support/sdk_v2.ts";
import type { Answers, FixtureCall, FixtureChanges, Questions } from "./fixture_call.ts";
import { promptsNow } from "./fixture_prompts.ts";
import { readResource, RESOURCES, TEMPLATE } from "./fixture_resources.ts";
import { toolsNow } from "./fixture_tools.ts";

const INVALID_PARAMS = -32602;
const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

type Envelope = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Answers of the rounds so far. */
interface Kept {
  readonly answers: Answers;
}

const codec = createRequestStateCodec<Kept>({ key: crypto.getRandomValues(new Uint8Array(32)) });

/** Thrown through a fixture that has to wait for answers. */
class Unanswered extends Error {
  readonly questions: Questions;
  readonly answers: Answers;

  constructor(questions: Questions, answers: Answers) {
    super("The client has to answer first");
    this.questions = questions;
    this.answers = answers;
  }
}

/** Serves requests of revision 2026-07-28 alone. */
export function createModernFixture(changes: FixtureChanges): McpHttpHandler {
  const handler = createMcpHandler(() => createServer(changes, () => handler), {
    legacy: "reject",
  });
  return handler;
}

function createServer(changes: FixtureChanges, handler: () => McpHttpHandler): McpServerV2 {
  const server = new McpServerV2({ name: "conformance-fixture", version: "2.0.0" }, {
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      logging: {},
      completions: {},
    },
    requestState: { verify: codec.verify },
  });
  for (const [name, tool] of Object.entries(toolsNow(changes))) {
    const inputSchema = fromJsonSchema<Record<string, unknown>>(tool.inputSchema);
    server.registerTool(name, { description: tool.description, inputSchema }, (args, context) => {
      const call = fixtureCall(handler(), context);
      return inRounds(async () => ({ ...await tool.run(args, call) })) as never;
    });
  }
  handlePrompts(server, changes, handler);
  handleResources(server);
  server.server.setRequestHandler(
    "completion/complete",
    () => ({ completion: { values: ["test-value"] } }),
  );
  return server;
}

function handlePrompts(
  { server }: McpServerV2,
  changes: FixtureChanges,
  handler: () => McpHttpHandler,
): void {
  server.setRequestHandler("prompts/list", () => ({
    prompts: Object.entries(promptsNow(changes)).map(([name, prompt]) => ({
      name,
      description: prompt.description,
      arguments: prompt.arguments,
    })),
  }));
  server.setRequestHandler("prompts/get", ({ params }, context) => {
    const prompt = promptsNow(changes)[params.name];
    if (prompt === undefined) {
      throw new ProtocolErrorV2(INVALID_PARAMS, `Unknown prompt "${params.name}"`);
    }
    const call = fixtureCall(handler(), context);
    return inRounds(async () => ({
      messages: await prompt.messages(params.arguments ?? {}, call),
    })) as never;
  });
}

function handleResources({ server }: McpServerV2): void {
  server.setRequestHandler("resources/list", () => ({
    resources: Object.entries(RESOURCES).map(([uri, { name, description, mimeType }]) => ({
      uri,
      name,
      description,
      mimeType,
    })),
  }));
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [TEMPLATE] }));
  server.setRequestHandler("resources/read", ({ params: { uri } }) => {
    const contents = readResource(uri);
    if (contents === undefined) {
      throw new ProtocolErrorV2(INVALID_PARAMS, `No resource "${uri}"`, { uri });
    }
    return { contents: [contents] } as never;
  });
}

/** Runs a fixture until it answers or asks. */
async function inRounds<Result>(run: () => Promise<Result>): Promise<unknown> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof Unanswered)) throw cause;
    const inputRequests = Object.entries(cause.questions)
      .map(([name, { method, params }]) => [name, { method, params }]);
    return inputRequired({
      inputRequests: Object.fromEntries(inputRequests) as InputRequests,
      requestState: await codec.mint({ answers: cause.answers }),
    });
  }
}

function fixtureCall(handler: McpHttpHandler, { mcpReq }: ServerContext): FixtureCall {
  const progressToken = mcpReq._meta?.progressToken;
  const given = {
    ...mcpReq.requestState<Kept>()?.answers,
    ...mcpReq.inputResponses as Answers | undefined,
  };
  return {
    client: (mcpReq.envelope as Envelope | undefined)?.[CLIENT_CAPABILITIES] ?? {},
    log: (data) => mcpReq.log("info", data, "fixture"),
    progress: async (progress, total) => {
      if (progressToken === undefined) return;
      await mcpReq.notify({
        method: "notifications/progress",
        params: { progressToken, progress, total },
      });
    },
    ask: (questions) => Promise.resolve(answersOf(questions, given)),
    closeStream: () => {},
    changed: (list) =>
      list === "tools" ? handler.notify.toolsChanged() : handler.notify.promptsChanged(),
  };
}

/** @throws Unanswered when an answer is missing, or will not do */
function answersOf(questions: Questions, given: Answers): Answers {
  const names = Object.keys(questions);
  const good = names.filter((name) => {
    const answer = given[name];
    return answer !== undefined && (questions[name]?.accepts?.(answer) ?? true);
  });
  if (good.length < names.length) {
    const open = names.filter((name) => !good.includes(name));
    throw new Unanswered(
      Object.fromEntries(open.flatMap((name) => {
        const question = questions[name];
        return question === undefined ? [] : [[name, question]];
      })),
      Object.fromEntries(Object.entries(given).filter(([name]) => !open.includes(name))),
    );
  }
  return given;
}
