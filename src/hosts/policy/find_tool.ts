/** Which backend an exposed name belongs to, as far as the configuration tells: no catalog is asked. */
import { exposedPrefix } from "../../core/catalog/naming.ts";
import { compileToolRules } from "../../core/catalog/tool_rules.ts";
import { createUnseen } from "../../core/catalog/entry.ts";
import type { Target } from "../../core/catalog/types.ts";
import { compilePatterns } from "../../core/patterns.ts";
import type { BackendConfig, Config } from "../../contract/mod.ts";
import { suggest } from "../../contract/suggest.ts";
import type { Ground } from "./ground.ts";

/** A tool that a backend may have, or why none can. */
export type Found = { readonly target: Target } | { readonly refused: Ground };

interface Candidate {
  readonly name: string;
  readonly config: BackendConfig;
  /** The name behind the prefix. */
  readonly shown: string;
}

/** `backend`: where names alone leave a choice, which one is meant. */
export function findTool(config: Config, tool: string, backend?: string): Found {
  const candidates = candidatesOf(config, tool)
    .filter(({ name }) => backend === undefined || name === backend);
  const [only, ...more] = candidates;
  if (only === undefined) return { refused: nobodyHas(config, tool) };
  if (more.length === 0) return within(only, tool);
  const offering = candidates.map((one) => within(one, tool)).filter((one) => "target" in one);
  const [found, ...others] = offering;
  if (found !== undefined && others.length === 0) return found;
  const names = candidates.map(({ name }) => name).join(", ");
  const text = `the name alone does not tell which backend is meant: ${names}`;
  return { refused: { kind: "unknown", text } };
}

function candidatesOf({ backends, catalog }: Config, tool: string): Candidate[] {
  return Object.entries(backends).flatMap(([name, config]) => {
    const prefix = exposedPrefix(catalog, config.alias ?? name);
    return tool.startsWith(prefix) ? [{ name, config, shown: tool.slice(prefix.length) }] : [];
  });
}

function nobodyHas({ backends, catalog }: Config, tool: string): Ground {
  const prefixes = Object.entries(backends)
    .map(([name, { alias }]) => exposedPrefix(catalog, alias ?? name));
  const heads = new Map(prefixes.map((prefix) => [headOf(prefix, catalog.separator), prefix]));
  const near = suggest(headOf(tool, catalog.separator), heads.keys());
  const hint = near === undefined ? "" : `; did you mean ${heads.get(near) ?? ""}…?`;
  const text = prefixes.length === 0
    ? "no backend is configured"
    : `no backend's names begin as "${tool}" does${hint}`;
  return { kind: "backend", text, path: ["backends"] };
}

function headOf(text: string, separator: string): string {
  return text.split(separator, 1)[0] ?? "";
}

function within({ name, config, shown }: Candidate, exposed: string): Found {
  const path = ["backends", name];
  if (!config.enabled) {
    const text = `backend ${name} is disabled`;
    return { refused: { kind: "backend", text, path: [...path, "enabled"] } };
  }
  const { tools } = config;
  const renamed = Object.entries(tools.rename).find(([, to]) => to === shown);
  const [original] = renamed ?? [shown];
  const rules = compileToolRules(tools);
  if (renamed === undefined && Object.hasOwn(tools.rename, shown)) {
    const text = `backend ${name} shows ${shown} as ${rules.renamed(shown)}`;
    return { refused: { kind: "backend", text, path: [...path, "tools", "rename", shown] } };
  }
  if (!rules.shows(original)) return { refused: leftOut(name, tools, original) };
  const defaults = rules.defaults(shown);
  const target = createUnseen({ kind: "tool", backend: name, original, exposed, defaults });
  return { target };
}

function leftOut(name: string, tools: BackendConfig["tools"], original: string): Ground {
  const denied = indexOf(tools.deny, original);
  const path = ["backends", name, "tools"];
  if (denied >= 0) {
    const text = `backend ${name} leaves out "${tools.deny[denied]}"`;
    return { kind: "backend", text, path: [...path, "deny", denied] };
  }
  const text = `backend ${name} offers only ${tools.allow.map((one) => `"${one}"`).join(", ")}`;
  return { kind: "backend", text, path: [...path, "allow"] };
}

/** The first pattern that a name falls under; -1 when none. */
export function indexOf(patterns: readonly string[], name: string): number {
  return patterns.findIndex((pattern) => compilePatterns([pattern])(name));
}
