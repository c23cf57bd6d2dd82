import type { Arguments, FixtureCall } from "./fixture_call.ts";

export interface ToolResult {
  readonly content: Record<string, unknown>[];
  readonly isError?: boolean;
}

export interface FixtureTool {
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  run(args: Arguments, call: FixtureCall): ToolResult | Promise<ToolResult>;
}

export const NO_ARGUMENTS = { type: "object", properties: {} };

/** Input schema with one required text. */
export function required(name: string): Record<string, unknown> {
  return { type: "object", properties: { [name]: { type: "string" } }, required: [name] };
}

export function text(value: string): Record<string, unknown> {
  return { type: "text", text: value };
}
