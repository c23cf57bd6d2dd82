/** A server of the modern era alone on the official SDK v2: `modern_peer.ts http|stdio`. */
import process from "node:process";
import {
  createMcpHandler,
  inputRequired,
  type ServerContext,
  ServerV2 as Server,
  serveStdio,
} from "../../support/sdk_v2.ts";
import { listenFetch } from "./peer_http.ts";
import {
  act,
  ASKED,
  completionsOf,
  type Doing,
  greeting,
  PROMPT,
  readNote,
  RESOURCE,
  SAMPLED,
  toolList,
} from "./peer_tools.ts";

/** How changes are told; over HTTP every request has a server of its own. */
interface Announcements {
  toolsChanged(server: Server): Promise<void>;
  resourceUpdated(server: Server, uri: string): Promise<void>;
}

function create(announcements: Announcements): Server {
  const server = new Server({ name: "modern-peer", version: "1.0.0" }, {
    capabilities: {
      tools: { listChanged: true },
      prompts: {},
      resources: { subscribe: true },
      completions: {},
      logging: {},
    },
  });
  handleCalls(server, announcements);
  server.setRequestHandler("resources/list", () => ({ resources: [RESOURCE] }));
  server.setRequestHandler("resources/read", () => ({ contents: [readNote()] }));
  server.setRequestHandler("prompts/list", () => ({ prompts: [PROMPT] }));
  server.setRequestHandler("prompts/get", ({ params }) => ({
    messages: [{
      role: "user",
      content: { type: "text", text: greeting(params.arguments?.["name"]) },
    }],
  }));
  server.setRequestHandler("completion/complete", ({ params }) => ({
    completion: { values: completionsOf(params.argument.value) },
  }));
  return server;
}

function handleCalls(server: Server, announcements: Announcements): void {
  server.setRequestHandler("tools/list", () => ({ tools: toolList() }));
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const { name } = params;
    if (name === "ask" || name === "sample") return question(name, context.mcpReq.inputResponses);
    const doing = doingOf(server, context, announcements);
    return textResult(await act(name, params.arguments ?? {}, doing));
  });
}

/** Asks in the first round, and answers with the answer in the second. */
function question(
  name: "ask" | "sample",
  responses: Readonly<Record<string, unknown>> | undefined,
): ReturnType<typeof inputRequired> | ReturnType<typeof textResult> {
  if (responses === undefined) {
    const request = name === "ask"
      ? inputRequired.elicit(ASKED as never)
      : inputRequired.createMessage(SAMPLED as never);
    return inputRequired({ inputRequests: { answer: request }, requestState: `asked by ${name}` });
  }
  const { action, content } = responses["answer"] as {
    action?: string;
    content?: { name?: string; text?: string };
  };
  return textResult(content?.name ?? content?.text ?? String(action));
}

function textResult(text: string): { content: { type: "text"; text: string }[] } {
  return { content: [{ type: "text", text }] };
}

function doingOf(
  server: Server,
  { mcpReq }: ServerContext,
  announcements: Announcements,
): Doing {
  return {
    signal: mcpReq.signal,
    progress: async (progress, total) => {
      const progressToken = mcpReq._meta?.progressToken;
      if (progressToken === undefined) return;
      await mcpReq.notify({
        method: "notifications/progress",
        params: { progressToken, progress, total },
      });
    },
    log: (text) => mcpReq.log("info", text),
    toolsChanged: () => announcements.toolsChanged(server),
    resourceUpdated: (uri) => announcements.resourceUpdated(server, uri),
  };
}

function serveHttp(): void {
  const handler = createMcpHandler(() =>
    create({
      toolsChanged: () => Promise.resolve(handler.notify.toolsChanged()),
      resourceUpdated: (_, uri) => Promise.resolve(handler.notify.resourceUpdated(uri)),
    }), { legacy: "reject" });
  listenFetch(handler.fetch);
}

const [, , wire] = process.argv;
if (wire === "http") serveHttp();
else {
  serveStdio(() =>
    create({
      toolsChanged: (server) => server.sendToolListChanged(),
      resourceUpdated: (server, uri) => server.sendResourceUpdated({ uri }),
    }), { legacy: "reject" });
}
