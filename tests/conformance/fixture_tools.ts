import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  type RequestHandlerExtra,
  type ServerNotification,
  type ServerRequest,
} from "../support/sdk.ts";
import { DEFAULTS_FORM, ENUMS_FORM, USER_FORM } from "./fixture_forms.ts";
import { PIXEL, SILENCE } from "./fixture_media.ts";

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;
type Arguments = Readonly<Record<string, unknown>>;
type Result = { content: Record<string, unknown>[]; isError?: boolean };

interface FixtureTool {
  readonly description: string;
  readonly inputSchema: Record<string, unknown>;
  run(args: Arguments, extra: Extra): Result | Promise<Result>;
}

/** Time between two notifications, so that they cannot fall into one read. */
const PAUSE_MS = 50;

const NO_ARGUMENTS = { type: "object", properties: {} };
const IMAGE = { type: "image", data: PIXEL, mimeType: "image/png" };

/** The tools that the suite calls by name. */
export const TOOLS: Readonly<Record<string, FixtureTool>> = {
  test_simple_text: fixed("One text block", text("This is a simple text response for testing.")),
  test_image_content: fixed("One image", IMAGE),
  test_audio_content: fixed("One sound", { type: "audio", data: SILENCE, mimeType: "audio/wav" }),
  test_embedded_resource: fixed(
    "One embedded resource",
    embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ),
  test_multiple_content_types: fixed(
    "Text, image and resource in one result",
    text("Multiple content types test:"),
    IMAGE,
    embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ),
  test_error_handling: {
    description: "Always fails",
    inputSchema: NO_ARGUMENTS,
    run: () => ({
      content: [text("This tool intentionally returns an error for testing")],
      isError: true,
    }),
  },
  test_tool_with_logging: {
    description: "Writes three log messages while it runs",
    inputSchema: NO_ARGUMENTS,
    run: runWithLogging,
  },
  test_tool_with_progress: {
    description: "Reports progress three times while it runs",
    inputSchema: NO_ARGUMENTS,
    run: runWithProgress,
  },
  test_sampling: {
    description: "Asks the client's model",
    inputSchema: required("prompt"),
    run: runSampling,
  },
  test_elicitation: {
    description: "Asks the user for name and address",
    inputSchema: required("message"),
    run: ({ message }, extra) => elicit(extra, "User response", String(message), USER_FORM),
  },
  test_elicitation_sep1034_defaults: {
    description: "Asks the user with a default for each field",
    inputSchema: NO_ARGUMENTS,
    run: (_, extra) => elicit(extra, "Elicitation completed", "Review the values", DEFAULTS_FORM),
  },
  test_elicitation_sep1330_enums: {
    description: "Asks the user with each kind of enumeration",
    inputSchema: NO_ARGUMENTS,
    run: (_, extra) => elicit(extra, "Elicitation completed", "Choose", ENUMS_FORM),
  },
  test_reconnection: {
    description: "Closes its stream in the middle of the call; the answer comes after reconnection",
    inputSchema: NO_ARGUMENTS,
    run: runReconnection,
  },
  json_schema_2020_12_tool: {
    description: "Its input schema uses keywords of JSON Schema 2020-12",
    inputSchema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
      additionalProperties: false,
    },
    run: (args) => ({ content: [text(JSON.stringify(args))] }),
  },
};

function fixed(description: string, ...content: Record<string, unknown>[]): FixtureTool {
  return { description, inputSchema: NO_ARGUMENTS, run: () => ({ content }) };
}

function required(name: string): Record<string, unknown> {
  return { type: "object", properties: { [name]: { type: "string" } }, required: [name] };
}

function text(value: string): Record<string, unknown> {
  return { type: "text", text: value };
}

function embedded(uri: string, mimeType: string, value: string): Record<string, unknown> {
  return { type: "resource", resource: { uri, mimeType, text: value } };
}

async function runWithLogging(_: Arguments, extra: Extra): Promise<Result> {
  for (
    const data of ["Tool execution started", "Tool processing data", "Tool execution completed"]
  ) {
    await extra.sendNotification({
      method: "notifications/message",
      params: { level: "info", logger: "fixture", data },
    });
    await sleep(PAUSE_MS);
  }
  return { content: [text("Logged three messages.")] };
}

async function runWithProgress(_: Arguments, extra: Extra): Promise<Result> {
  const progressToken = extra._meta?.progressToken;
  for (const progress of [0, 50, 100]) {
    if (progressToken !== undefined) {
      await extra.sendNotification({
        method: "notifications/progress",
        params: { progressToken, progress, total: 100 },
      });
    }
    await sleep(PAUSE_MS);
  }
  return { content: [text("Reported progress.")] };
}

async function runSampling({ prompt }: Arguments, extra: Extra): Promise<Result> {
  const answer = await extra.sendRequest({
    method: "sampling/createMessage",
    params: {
      messages: [{ role: "user", content: { type: "text", text: String(prompt) } }],
      maxTokens: 100,
    },
  }, CreateMessageResultSchema);
  return { content: [text(`LLM response: ${JSON.stringify(answer.content)}`)] };
}

async function elicit(
  extra: Extra,
  label: string,
  message: string,
  requestedSchema: typeof USER_FORM,
): Promise<Result> {
  const { action, content } = await extra.sendRequest({
    method: "elicitation/create",
    params: { message, requestedSchema },
  }, ElicitResultSchema);
  return { content: [text(`${label}: action=${action}, content=${JSON.stringify(content)}`)] };
}

async function runReconnection(_: Arguments, extra: Extra): Promise<Result> {
  extra.closeSSEStream?.();
  await sleep(2 * PAUSE_MS);
  return { content: [text("Answered after the stream was closed.")] };
}
