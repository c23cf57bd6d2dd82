import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  type RequestHandlerExtra,
  ResultSchema,
  Server,
  type ServerNotification,
  type ServerRequest,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "../support/sdk.ts";
import type { Answers, ChangingList, FixtureCall, FixtureChanges } from "./fixture_call.ts";
import { promptsNow } from "./fixture_prompts.ts";
import { readResource, RESOURCES, TEMPLATE } from "./fixture_resources.ts";
import { toolsNow } from "./fixture_tools.ts";

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const INVALID_PARAMS = -32602;
/** Of the revisions with sessions alone. */
const RESOURCE_NOT_FOUND = -32002;

/** What the sessions of one server have in common. */
export interface FixtureState {
  readonly changes: FixtureChanges;
  changed(list: ChangingList): void;
}

/** The server of one session, with every fixture the conformance suite asks for. */
export function createFixtureProtocol(state: FixtureState): Server {
  const server = new Server({ name: "conformance-fixture", version: "1.0.0" }, {
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { subscribe: true },
      logging: {},
      completions: {},
    },
  });
  handleTools(server, state);
  handlePrompts(server, state);
  handleResources(server);
  server.setRequestHandler(SetLevelRequestSchema, () => ({}));
  server.setRequestHandler(
    CompleteRequestSchema,
    () => ({ completion: { values: ["test-value"] } }),
  );
  return server;
}

function handleTools(server: Server, state: FixtureState): void {
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.entries(toolsNow(state.changes)).map(([name, { description, inputSchema }]) => ({
      name,
      description,
      inputSchema: { type: "object" as const, ...inputSchema },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = toolsNow(state.changes)[params.name];
    if (tool === undefined) throw new McpError(INVALID_PARAMS, `Unknown tool "${params.name}"`);
    return { ...await tool.run(params.arguments ?? {}, fixtureCall(server, state, extra)) };
  });
}

function handlePrompts(server: Server, state: FixtureState): void {
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: Object.entries(promptsNow(state.changes)).map(([name, prompt]) => ({
      name,
      description: prompt.description,
      arguments: prompt.arguments,
    })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, async ({ params }, extra) => {
    const prompt = promptsNow(state.changes)[params.name];
    if (prompt === undefined) throw new McpError(INVALID_PARAMS, `Unknown prompt "${params.name}"`);
    const call = fixtureCall(server, state, extra);
    return { messages: await prompt.messages(params.arguments ?? {}, call) };
  });
}

function handleResources(server: Server): void {
  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: Object.entries(RESOURCES).map(([uri, { name, description, mimeType }]) => ({
      uri,
      name,
      description,
      mimeType,
    })),
  }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [TEMPLATE],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => {
    const contents = readResource(params.uri);
    if (contents === undefined) {
      throw new McpError(RESOURCE_NOT_FOUND, `No resource "${params.uri}"`, { uri: params.uri });
    }
    return { contents: [contents] };
  });
  server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
}

/** Sessions: the client is asked by requests while the call waits. */
function fixtureCall(server: Server, state: FixtureState, extra: Extra): FixtureCall {
  const progressToken = extra._meta?.progressToken;
  return {
    client: { ...server.getClientCapabilities() },
    log: (data) =>
      extra.sendNotification({
        method: "notifications/message",
        params: { level: "info", logger: "fixture", data },
      }),
    progress: async (progress, total) => {
      if (progressToken === undefined) return;
      await extra.sendNotification({
        method: "notifications/progress",
        params: { progressToken, progress, total },
      });
    },
    ask: async (questions) => {
      const answers = Object.entries(questions).map(async ([name, { method, params }]) => {
        const request = { method, params } as unknown as ServerRequest;
        return [name, await extra.sendRequest(request, ResultSchema)] as const;
      });
      return Object.fromEntries(await Promise.all(answers)) as Answers;
    },
    closeStream: () => extra.closeSSEStream?.(),
    changed: (list) => state.changed(list),
  };
}
