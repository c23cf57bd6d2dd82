/**
 * The gateway as the client under test: starts it in front of the server whose URL is the last argument and
 * drives it with the official client, as the scenario in `MCP_CONFORMANCE_SCENARIO` wants it.
 *
 *     client_harness.ts auto|legacy <url>
 *
 * The first argument is how the driving client speaks to the gateway: "auto" asks it, "legacy" shakes hands.
 * What the server sees is the gateway's own choice.
 */
import process from "node:process";
import { stringify } from "smol-toml";
import { until } from "../scenarios/until.ts";
import { startGateway } from "../support/gateway.ts";
import { ClientV2, StreamableHTTPClientTransportV2 } from "../support/sdk_v2.ts";

const LISTED_MS = 10_000;

type Drive = (client: ClientV2) => Promise<unknown>;

/** What is done after the lists have been read; nothing for the scenarios that are not here. */
const DRIVES: Readonly<Record<string, Drive>> = {
  tools_call: (client) => call(client, "add_numbers", { a: 5, b: 3 }),
  "sse-retry": (client) => call(client, "test_reconnection"),
  "http-standard-headers": useOneOfEach,
  "http-custom-headers": callAsTold,
  "http-invalid-tool-headers": callEveryTool,
  "sep-2322-client-request-state": answerQuestions,
  "json-schema-2020-12-preservation": echoSchema,
};

async function useOneOfEach(client: ClientV2): Promise<void> {
  const [tool] = (await client.listTools()).tools;
  await call(client, tool?.name ?? "");
  const [resource] = (await client.listResources()).resources;
  await client.readResource({ uri: resource?.uri ?? "" });
  const [prompt] = (await client.listPrompts()).prompts;
  await client.getPrompt({ name: prompt?.name ?? "" });
}

async function callAsTold(client: ClientV2): Promise<void> {
  const { toolCalls } = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as {
    toolCalls: { name: string; arguments: Record<string, unknown> }[];
  };
  for (const { name, arguments: args } of toolCalls) await call(client, name, args);
}

async function callEveryTool(client: ClientV2): Promise<void> {
  const { tools } = await client.listTools();
  for (const { name } of tools) await call(client, name, { region: "us-west1" });
}

async function answerQuestions(client: ClientV2): Promise<void> {
  await call(client, "test_mrtr_echo_state");
  await call(client, "test_mrtr_no_state");
  await call(client, "test_mrtr_unrelated");
  // Its result has no type. To refuse it is as good as to take it for complete.
  await call(client, "test_mrtr_no_result_type").catch(() => {});
}

async function echoSchema(client: ClientV2): Promise<void> {
  const { tools } = await client.listTools();
  const tool = tools.find(({ name }) => name === "json_schema_2020_12_tool");
  await call(client, "json_schema_echo", { schema: tool?.inputSchema });
}

async function call(
  client: ClientV2,
  name: string,
  args: Record<string, unknown> = {},
): Promise<void> {
  await client.callTool({ name, arguments: args });
}

const [mode, url = ""] = process.argv.slice(2);
const gateway = await startGateway(stringify({
  // The referee has a call made that its own schema forbids: null for a boolean.
  catalog: { prefix: "never", sanitize: false, validate_arguments: false },
  backends: { referee: { url } },
}));
try {
  const client = new ClientV2({ name: "conformance-harness", version: "1.0.0" }, {
    capabilities: { roots: { listChanged: true }, sampling: {}, elicitation: {} },
    versionNegotiation: { mode: mode === "legacy" ? "legacy" : "auto" },
  });
  client.setRequestHandler(
    "elicitation/create",
    () => ({ action: "accept" as const, content: { confirmed: true } }),
  );
  await client.connect(new StreamableHTTPClientTransportV2(new URL(gateway.url)));
  // Not before the gateway has read the lists of the server.
  await until(() => client.listTools(), LISTED_MS);
  await DRIVES[process.env["MCP_CONFORMANCE_SCENARIO"] ?? ""]?.(client);
  await client.close();
} finally {
  await gateway.stop();
  process.stderr.write(gateway.stderr);
}
