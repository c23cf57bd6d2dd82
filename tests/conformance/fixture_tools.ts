import { setTimeout as sleep } from "node:timers/promises";
import { ASKING_TOOLS } from "./fixture_asking.ts";
import type { Arguments, ChangingList, FixtureCall, FixtureChanges } from "./fixture_call.ts";
import { PIXEL, SILENCE } from "./fixture_media.ts";
import { type FixtureTool, NO_ARGUMENTS, text, type ToolResult } from "./fixture_tool.ts";

/** Time between two notifications, so that they cannot fall into one read. */
const PAUSE_MS = 50;

const IMAGE = { type: "image", data: PIXEL, mimeType: "image/png" };

const PHONE = { required: ["phone"] };
const EMAIL = { required: ["email"] };
/** Written as a text: what has a member "then" must not be taken for a promise. */
const CONDITION = JSON.parse(`{
  "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
  "then": { "required": ["phone"] },
  "else": { "required": ["email"] }
}`) as Readonly<Record<string, unknown>>;
/** Every keyword that the suite looks for in a list. */
const DIALECT_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [PHONE, EMAIL] }],
  ...CONDITION,
  additionalProperties: false,
};

const TOOLS: Readonly<Record<string, FixtureTool>> = {
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
  test_streaming_elicitation: fixed("Asks nobody", text("Nobody was asked.")),
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
  test_logging_tool: {
    description: "Writes log messages for those who want them",
    inputSchema: NO_ARGUMENTS,
    run: runWithLogging,
  },
  test_tool_with_progress: {
    description: "Reports progress three times while it runs",
    inputSchema: NO_ARGUMENTS,
    run: runWithProgress,
  },
  test_reconnection: {
    description: "Closes its stream in the middle of the call; the answer comes after reconnection",
    inputSchema: NO_ARGUMENTS,
    run: runReconnection,
  },
  json_schema_2020_12_tool: {
    description: "Its input schema uses keywords of JSON Schema 2020-12",
    inputSchema: DIALECT_SCHEMA,
    run: (args) => ({ content: [text(JSON.stringify(args))] }),
  },
  test_x_mcp_header: {
    description: "One of its arguments is mirrored in a header",
    inputSchema: {
      type: "object",
      properties: {
        region: { type: "string", "x-mcp-header": "Region" },
        level: { type: "integer" },
      },
    },
    run: ({ region }) => ({ content: [text(`region=${region}`)] }),
  },
  ...ASKING_TOOLS,
};

/** The tools that the suite calls by name, as they are at the moment. */
export function toolsNow(changes: FixtureChanges): Readonly<Record<string, FixtureTool>> {
  return {
    ...TOOLS,
    test_trigger_tool_change: trigger("tools", changes),
    test_trigger_prompt_change: trigger("prompts", changes),
  };
}

/** The list does change: a tool says in its description how often it was called. */
function trigger(list: ChangingList, changes: FixtureChanges): FixtureTool {
  return {
    description: `Changes the list of ${list} (${changes[list]} times so far)`,
    inputSchema: NO_ARGUMENTS,
    run: (_, call) => {
      changes[list]++;
      call.changed(list);
      return { content: [text(`Changed the list of ${list}.`)] };
    },
  };
}

function fixed(description: string, ...content: Record<string, unknown>[]): FixtureTool {
  return { description, inputSchema: NO_ARGUMENTS, run: () => ({ content }) };
}

function embedded(uri: string, mimeType: string, value: string): Record<string, unknown> {
  return { type: "resource", resource: { uri, mimeType, text: value } };
}

async function runWithLogging(_: Arguments, call: FixtureCall): Promise<ToolResult> {
  for (
    const data of ["Tool execution started", "Tool processing data", "Tool execution completed"]
  ) {
    await call.log(data);
    await sleep(PAUSE_MS);
  }
  return { content: [text("Logged three messages.")] };
}

async function runWithProgress(_: Arguments, call: FixtureCall): Promise<ToolResult> {
  for (const progress of [0, 50, 100]) {
    await call.progress(progress, 100);
    await sleep(PAUSE_MS);
  }
  return { content: [text("Reported progress.")] };
}

async function runReconnection(_: Arguments, call: FixtureCall): Promise<ToolResult> {
  call.closeStream();
  await sleep(2 * PAUSE_MS);
  return { content: [text("Answered after the stream was closed.")] };
}
