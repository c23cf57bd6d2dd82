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
  Server,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "../support/sdk.ts";
import { PROMPTS } from "./fixture_prompts.ts";
import { readResource, RESOURCES, TEMPLATE } from "./fixture_resources.ts";
import { TOOLS } from "./fixture_tools.ts";

const INVALID_PARAMS = -32602;

/** The server of one session, with every fixture the conformance suite asks for. */
export function createFixtureProtocol(): Server {
  const server = new Server({ name: "conformance-fixture", version: "1.0.0" }, {
    capabilities: {
      tools: {},
      prompts: {},
      resources: { subscribe: true },
      logging: {},
      completions: {},
    },
  });
  handleTools(server);
  handlePrompts(server);
  handleResources(server);
  server.setRequestHandler(SetLevelRequestSchema, () => ({}));
  server.setRequestHandler(
    CompleteRequestSchema,
    () => ({ completion: { values: ["test-value"] } }),
  );
  return server;
}

function handleTools(server: Server): void {
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.entries(TOOLS).map(([name, { description, inputSchema }]) => ({
      name,
      description,
      inputSchema: { type: "object" as const, ...inputSchema },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
    const tool = TOOLS[params.name];
    if (tool === undefined) throw new McpError(INVALID_PARAMS, `Unknown tool "${params.name}"`);
    return tool.run(params.arguments ?? {}, extra);
  });
}

function handlePrompts(server: Server): void {
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: Object.entries(PROMPTS).map(([name, prompt]) => ({
      name,
      description: prompt.description,
      arguments: prompt.arguments,
    })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const prompt = PROMPTS[params.name];
    if (prompt === undefined) throw new McpError(INVALID_PARAMS, `Unknown prompt "${params.name}"`);
    return { messages: prompt.messages(params.arguments ?? {}) };
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
    if (contents === undefined) throw new McpError(INVALID_PARAMS, `No resource "${params.uri}"`);
    return { contents: [contents] };
  });
  server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
}
