import type { BackendConfig } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import { compilePatterns } from "../patterns.ts";

/** `[backends.x.tools]`, ready to be asked. Names come from a backend: no lookup may reach a prototype. */
export interface ToolRules {
  /** Whether a tool is shown, by the backend's own name; `deny` wins. */
  shows(original: string): boolean;
  renamed(original: string): string;
  /** By the name after renaming, without prefix. */
  description(renamed: string): string | undefined;
  /** By the name after renaming, without prefix. */
  defaults(renamed: string): JsonObject | undefined;
}

export function compileToolRules(config: BackendConfig["tools"]): ToolRules {
  const allowed = compilePatterns(config.allow);
  const denied = compilePatterns(config.deny);
  const names = new Map(Object.entries(config.rename));
  const descriptions = new Map(Object.entries(config.describe));
  const defaults = new Map(Object.entries(config.defaults));
  return {
    shows: (original) => allowed(original) && !denied(original),
    renamed: (original) => names.get(original) ?? original,
    description: (renamed) => descriptions.get(renamed),
    defaults: (renamed) => defaults.get(renamed),
  };
}
