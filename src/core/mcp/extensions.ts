/**
 * Extensions of the protocol that pass the gateway. Whatever is not in the table is told to neither side,
 * so both fall back to what every peer can do (protocol.md 3.10).
 */
import type { Era } from "../../contract/mod.ts";
import { isObject, type JsonObject } from "./json.ts";

interface Extension {
  /** Methods it adds; those of the core that it builds on are not named. */
  readonly methods: readonly string[];
  /** Its wire is the same in both eras, so it works between a client of one and a backend of the other. */
  readonly crossesEras: boolean;
}

/** Tool calls that go on after their answer. */
export const TASKS = "io.modelcontextprotocol/tasks";

const EXTENSIONS: Readonly<Record<string, Extension>> = {
  // The older form of it is another wire, with lists and results that clients fetch.
  [TASKS]: { methods: ["tasks/get", "tasks/update", "tasks/cancel"], crossesEras: false },
  // A tool names a `ui://` resource in its `_meta`; the client reads it like any other.
  "io.modelcontextprotocol/ui": { methods: [], crossesEras: true },
};

/** Longest settings of an extension that are passed on, as JSON text; longer ones are left empty. */
const MAX_SETTINGS = 2000;

/** What one side declares, and in which era it speaks. */
interface Declaration {
  readonly era: Era;
  readonly capabilities: JsonObject;
}

/** The extensions that clients of an era are told of: what one of the backends declares, settings merged. */
export function mergedExtensions(
  declared: readonly Declaration[],
  era: Era,
): JsonObject | undefined {
  const merged: JsonObject = {};
  for (const { era: own, capabilities } of declared) {
    for (const [id, settings] of known(capabilities)) {
      if (own !== era && EXTENSIONS[id]?.crossesEras !== true) continue;
      merged[id] = withSettings(merged[id], settings);
    }
  }
  return Object.keys(merged).length === 0 ? undefined : merged;
}

/**
 * What of a client's extensions a backend of this era may be told: a member `extensions` to put beside the
 * other capabilities, or nothing.
 */
export function bridgedExtensions({ era: own, capabilities }: Declaration, era: Era): JsonObject {
  const extensions = Object.fromEntries(
    known(capabilities).filter(([id]) => own === era || EXTENSIONS[id]?.crossesEras === true),
  );
  return Object.keys(extensions).length === 0 ? {} : { extensions };
}

function known({ extensions }: JsonObject): readonly (readonly [string, JsonObject])[] {
  if (!isObject(extensions)) return [];
  return Object.keys(EXTENSIONS).flatMap((id) => {
    const settings = Object.hasOwn(extensions, id) ? extensions[id] : undefined;
    if (!isObject(settings)) return [];
    const fits = JSON.stringify(settings).length <= MAX_SETTINGS;
    return [[id, fits ? settings : {}] as const];
  });
}

/** Lists are united; of other settings the first stands. */
function withSettings(first: unknown, more: JsonObject): JsonObject {
  if (!isObject(first)) return more;
  const merged: JsonObject = { ...more, ...first };
  for (const [name, value] of Object.entries(first)) {
    const other = more[name];
    if (Array.isArray(value) && Array.isArray(other)) {
      merged[name] = [...new Set<unknown>([...value, ...other])];
    }
  }
  return merged;
}
