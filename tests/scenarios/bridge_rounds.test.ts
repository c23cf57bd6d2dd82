import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { startCore, type TestCore } from "../support/core.ts";
import { bodyOf, type HttpFixture, serveHttp } from "../support/http_fixture.ts";
import { eventsOf, HttpSession, type Rpc } from "../support/http_session.ts";
import { proves } from "../support/proves.ts";
import { createMcpHandler, inputRequired, ServerV2 } from "../support/sdk_v2.ts";
import { Person } from "./bridge_person.ts";

const CLIENTS = 10;
const FORM = {
  message: "",
  requestedSchema: { type: "object", properties: { mark: { type: "string" } } },
};
const TIMEOUT = { timeout: 60_000 };

/** The tool asks in the first round, and once more with a state in the second. */
function createServer(): ServerV2 {
  const server = new ServerV2({ name: "modern", version: "1" }, { capabilities: { tools: {} } });
  server.setRequestHandler("tools/list", () => ({
    tools: [{ name: "ask", inputSchema: { type: "object" as const } }],
  }));
  server.setRequestHandler("tools/call", ({ params }, { mcpReq }) => {
    const who = String(params.arguments?.["who"]);
    const { one, two } = (mcpReq.inputResponses ?? {}) as Record<string, Rpc | undefined>;
    const state = mcpReq.requestState() as unknown as string | undefined;
    const asked = (key: string, requestState: string) =>
      inputRequired({
        inputRequests: {
          [key]: inputRequired.elicit({ ...FORM, message: `${key} for ${who}` } as never),
        },
        requestState,
      });
    if (one === undefined && two === undefined) return asked("one", who);
    if (one !== undefined) return asked("two", `${state} ${one["content"]?.mark}`);
    return { content: [{ type: "text" as const, text: `${state} ${two?.["content"]?.mark}` }] };
  });
  return server;
}

async function startBackend(): Promise<HttpFixture> {
  const handler = createMcpHandler(createServer, { legacy: "reject" });
  return await serveHttp(async (request, response) => {
    const body = await bodyOf(request);
    const answer = await handler.fetch(
      new Request(`http://${request.headers.host}${request.url}`, {
        method: request.method ?? "GET",
        headers: request.headers as Record<string, string>,
        ...(body === "" ? {} : { body }),
      }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(await answer.text());
  }, "/mcp");
}

describe("a modern backend that asks", () => {
  let backend: HttpFixture;
  let gateway: TestCore;

  before(async () => {
    backend = await startBackend();
    gateway = await startCore({ backends: { modern: { url: backend.url.href } } });
  });

  after(async () => {
    await gateway?.stop();
    await backend?.close();
  });

  proves(
    "X1",
    "has each of many legacy clients asked, round after round, and answers the one",
    async () => {
      const marks = Array.from({ length: CLIENTS }, (_, at) => `client-${at}`);
      const texts = await Promise.all(marks.map((mark) => callAs(gateway, mark)));
      assert.deepEqual(texts, marks.map((mark) => `${mark} one-${mark} two-${mark}`));
      assert.equal(gateway.core.control.backend("modern", 0).era, "modern");
    },
    TIMEOUT,
  );

  proves("X1", "has its call ended with words when a legacy client cannot be asked", async () => {
    const session = await HttpSession.open(gateway.core.fetch);
    const { result, error } = await session.call("modern__ask", { who: "nobody" });
    assert.match(JSON.stringify(result ?? error), /did not declare/);
  }, TIMEOUT);

  proves("X1", "gets its state back from a modern client, and no other one", async () => {
    const anna = new Person(gateway, { tool: "modern__ask", mark: "anna" });
    const first = await anna.call();
    const second = await anna.answer(first, "one");
    const { result } = await anna.answer(second, "two");
    assert.equal(result.content[0].text, "anna one-anna two-anna");

    const { requestState, ...rest } = second["result"];
    const forged = { result: { ...rest, requestState: requestState.replace("anna", "bert") } };
    const refused = await anna.answer(forged, "two");
    assert.equal(refused["error"].code, -32602);
    const plain = { result: { ...rest, requestState: "anna one-anna" } };
    assert.equal((await anna.answer(plain, "two"))["error"].code, -32602);
  }, TIMEOUT);
});

/** Calls the tool and answers each question with its first word and the client's mark. */
async function callAs({ core }: TestCore, mark: string): Promise<string> {
  const session = await HttpSession.open(core.fetch, { capabilities: { elicitation: {} } });
  const response = await session.send("tools/call", {
    name: "modern__ask",
    arguments: { who: mark },
  });
  for await (const { data } of eventsOf(response)) {
    const { id, method, params, result, error } = JSON.parse(data || "{}") as Rpc;
    if (method === "elicitation/create") {
      const message = String(params.message);
      assert.ok(message.endsWith(` for ${mark}`), message);
      const content = { mark: `${message.split(" ")[0]}-${mark}` };
      await session.post({ jsonrpc: "2.0", id, result: { action: "accept", content } });
    } else if (result !== undefined || error !== undefined) {
      assert.ok(result !== undefined, data);
      return result.content[0].text as string;
    }
  }
  throw new Error("The stream ended without an answer");
}
