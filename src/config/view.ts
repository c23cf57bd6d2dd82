import type { BackendConfig, Config } from "../contract/config.ts";
import { ANY, type KeyNode } from "../contract/config/tree.ts";
import { formatDuration, formatRate, formatSize, type Rate } from "../contract/units.ts";
import { COMMAND_LIMITS, COMMAND_ONLY, URL_ONLY } from "./checks/backends.ts";
import { looksLikeCredential, passwordOf } from "./credentials.ts";
import { MASK, masker } from "./mask.ts";
import { CONFIG_TREE } from "./parse.ts";
import { isTable, type Table } from "./raw.ts";

/**
 * The configuration in force, spelled as in the file, with defaults filled in and secrets replaced. What is
 * not secret parses to the same configuration again.
 */
export function resolvedView(config: Config, secrets: readonly string[]): Table {
  const backends = Object.entries(config.backends).map(([name, backend]) =>
    [name, ofItsKind(backend)] as const
  );
  const show = valueView(secrets);
  return show({ ...config, backends: Object.fromEntries(backends) }, CONFIG_TREE, "") as Table;
}

/** Shows a value of the configuration as the file spells it, secrets replaced; `name` is its key. */
export type ShowValue = (value: unknown, node: KeyNode | undefined, name: string) => unknown;

export function valueView(secrets: readonly string[]): ShowValue {
  const mask = masker(secrets);
  const show: ShowValue = (value, node, name) => {
    if (value !== undefined && node?.unit !== undefined) return inUnit(value, node);
    if (typeof value === "string") {
      return isSecret(node, name) ? MASK : mask(withoutPassword(value));
    }
    if (Array.isArray(value)) {
      return value.map((entry) => show(entry, node?.children.get(ANY), name));
    }
    if (!isTable(value)) return value;
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    return Object.fromEntries(entries.map(([key, entry]) => {
      const child = node?.children.get(key) ?? node?.children.get(ANY);
      return [key, show(entry, child, key)];
    }));
  };
  return show;
}

/** Without the defaults of keys that may not stand there. */
function ofItsKind(backend: BackendConfig): Table {
  if (backend.url === undefined) return without(backend, URL_ONLY);
  return without({ ...backend, limits: without(backend.limits, COMMAND_LIMITS) }, COMMAND_ONLY);
}

function without(table: Table, keys: readonly string[]): Table {
  return Object.fromEntries(Object.entries(table).filter(([key]) => !keys.includes(key)));
}

function inUnit(value: unknown, node: KeyNode): unknown {
  switch (node.unit) {
    case "duration":
      return formatDuration(value as number);
    case "size":
      return formatSize(value as number);
    case "rate":
      return formatRate(value as Rate);
    case "date":
    case undefined:
      return new Date(value as number);
  }
}

function isSecret(node: KeyNode | undefined, name: string): boolean {
  return node?.secret === "always" || (node?.secret === "named" && looksLikeCredential(name));
}

function withoutPassword(text: string): string {
  const password = passwordOf(text);
  return password === undefined ? text : text.replace(`:${password}@`, `:${MASK}@`);
}
