/**
 * Who may import whom: the one table behind the layer test, the lint plugin and the page
 * `docs/architecture.md`. It uses nothing of a runtime, because the linter loads it in a sandbox.
 */

export interface Layer {
  /** From the root of the repository. */
  readonly folder: string;
  /** Layers it may import besides itself. */
  readonly imports: readonly string[];
  /** Layers of which it may import types only. */
  readonly types?: readonly string[];
  /** Single files of other layers that it may import. */
  readonly doors?: readonly string[];
  /** Files outside of `imports` that it may load with a dynamic import. */
  readonly dynamic?: readonly string[];
  /** Files that are no source, such as `package.json`. */
  readonly files?: readonly string[];
  /** npm packages; "any" where the composition happens. */
  readonly packages: readonly string[] | "any";
  /** npm packages of which only types may be imported. */
  readonly typePackages?: readonly string[];
  /** False: no `node:` module, no global beyond the web's, no time and no randomness. */
  readonly builtins: boolean;
  /** Without builtins, but with the web's own time, chance, network and console. */
  readonly web?: boolean;
  /** Its folders are alternatives that must not know each other. */
  readonly separate?: boolean;
}

export const LAYERS: Readonly<Record<string, Layer>> = {
  contract: { folder: "src/contract", imports: [], packages: ["valibot"], builtins: false },
  ports: {
    folder: "src/ports",
    imports: [],
    types: ["contract"],
    packages: [],
    builtins: false,
  },
  core: {
    folder: "src/core",
    imports: ["contract", "ports"],
    packages: [
      "@marcbachmann/cel-js",
      "eventsource-parser",
      "jose",
      "re2js",
      "uuidv7",
      "valibot",
    ],
    typePackages: ["@modelcontextprotocol/sdk"],
    builtins: false,
  },
  config: {
    folder: "src/config",
    imports: ["contract", "ports"],
    packages: [
      "@marcbachmann/cel-js",
      "@valibot/to-json-schema",
      "re2js",
      "smol-toml",
      "toml-eslint-parser",
      "valibot",
    ],
    builtins: false,
  },
  telemetry: {
    folder: "src/telemetry",
    imports: ["contract", "ports"],
    packages: ["@opentelemetry/api"],
    builtins: false,
  },
  stores: {
    folder: "src/stores",
    imports: ["contract", "ports"],
    packages: ["@neondatabase/serverless", "pg", "redis"],
    builtins: true,
    separate: true,
  },
  manage: {
    folder: "src/manage",
    imports: ["contract", "ports"],
    doors: ["src/core/mod.ts"],
    packages: ["@valibot/to-json-schema", "itty-router", "valibot"],
    builtins: false,
  },
  client: {
    folder: "src/client",
    imports: ["contract"],
    packages: ["eventsource-parser", "valibot"],
    builtins: false,
  },
  // Before `hosts`, whose folder it is in.
  edge: {
    folder: "src/hosts/edge",
    imports: ["contract", "ports", "core", "config"],
    doors: [
      "src/hosts/http_client/fetch_client.ts",
      "src/hosts/log.ts",
      "src/hosts/mask.ts",
      "src/hosts/schema_compiler/interpreter.ts",
      "src/hosts/version.ts",
      "src/stores/memory/event_store.ts",
      "src/stores/memory/journal.ts",
      "src/stores/memory/rate_store.ts",
      "src/stores/memory/session_store.ts",
      "src/stores/memory/state_store.ts",
      "src/stores/postgres/http_audit.ts",
      "src/stores/postgres/http_sql.ts",
      "src/stores/redis/http_replicas.ts",
      "src/stores/redis/http_server.ts",
      "src/stores/redis/keys.ts",
      "src/stores/redis/session_store.ts",
    ],
    packages: ["uuidv7"],
    builtins: false,
    web: true,
  },
  hosts: {
    folder: "src/hosts",
    imports: ["contract", "ports", "core", "config", "telemetry", "stores", "manage"],
    files: ["package.json"],
    packages: "any",
    builtins: true,
  },
  cli: {
    folder: "cli",
    imports: ["contract", "config", "client"],
    dynamic: [
      "src/hosts/compose.ts",
      "src/hosts/examine.ts",
      "src/hosts/local_audit.ts",
      "src/hosts/policy.ts",
      "src/hosts/state_folder.ts",
    ],
    files: ["package.json"],
    packages: [
      "@bomb.sh/tab",
      "@commander-js/extra-typings",
      "@modelcontextprotocol/sdk",
      "@valibot/to-json-schema",
      "commander",
      "jose",
      "jsonc-parser",
    ],
    builtins: true,
  },
};

/** Members that bring time or chance past the ports. */
export const FORBIDDEN_MEMBERS: readonly string[] = [
  "AbortSignal.timeout",
  "Date.now",
  "Math.random",
  "crypto.getRandomValues",
  "crypto.randomUUID",
  "performance.now",
];

/** Global names that belong to a runtime, or bring time or the network past the ports. */
export const FORBIDDEN_GLOBALS: readonly string[] = [
  "Buffer",
  "Bun",
  "Deno",
  "WebSocket",
  "XMLHttpRequest",
  "__dirname",
  "__filename",
  "console",
  "fetch",
  "global",
  "process",
  "require",
  "setImmediate",
  "setInterval",
  "setTimeout",
];

/** One import, re-export, dynamic import or `import("…")` type. */
export interface Import {
  /** Undefined when it is computed and cannot be checked. */
  readonly specifier: string | undefined;
  readonly kind: "value" | "type" | "dynamic";
}

/** The layer a file belongs to; paths are relative to the root, with `/`. */
export function layerOf(file: string): string | undefined {
  return Object.keys(LAYERS).find((name) => file.startsWith(`${LAYERS[name]?.folder}/`));
}

/** True where neither builtins nor time, chance and network are allowed. */
export function isPure(file: string): boolean {
  const layer = LAYERS[layerOf(file) ?? ""];
  return layer !== undefined && !layer.builtins && layer.web !== true;
}

/** Why `file` must not contain this import; undefined when it may. */
export function importProblem(file: string, found: Import): string | undefined {
  const name = layerOf(file);
  const layer = LAYERS[name ?? ""];
  if (name === undefined || layer === undefined) {
    return `"${file}" belongs to no layer of the table`;
  }
  const { specifier } = found;
  if (specifier === undefined) {
    return layer.builtins ? undefined : `${name} must not compute what it imports`;
  }
  if (specifier.startsWith(".")) return fileProblem(file, name, layer, found);
  if (specifier.startsWith("node:")) {
    return layer.builtins
      ? undefined
      : `${name} must not import "${specifier}": no runtime builtins`;
  }
  if (/^[a-z]+:/.test(specifier)) return `"${specifier}" is not an npm package of package.json`;
  return packageProblem(name, layer, found);
}

function fileProblem(file: string, name: string, layer: Layer, found: Import): string | undefined {
  const target = resolve(file, found.specifier ?? "");
  if (isNamed(layer, target)) return undefined;
  if (!target.endsWith(".ts")) return `"${found.specifier}" needs its .ts ending`;
  if (found.kind === "dynamic" && layer.dynamic?.includes(target)) return undefined;
  const to = layerOf(target);
  if (to === undefined) return `${name} must not import "${target}": it belongs to no layer`;
  if (to === name) return siblingProblem(file, target, layer);
  if (layer.imports.includes(to)) return undefined;
  if (layer.types?.includes(to)) {
    return found.kind === "type" ? undefined : `${name} may import only types of ${to}`;
  }
  return `${name} must not import ${to} ("${target}")`;
}

function isNamed({ files = [], doors = [] }: Layer, target: string): boolean {
  return files.includes(target) || doors.includes(target);
}

function siblingProblem(file: string, target: string, layer: Layer): string | undefined {
  if (layer.separate !== true) return undefined;
  const part = (path: string) => path.slice(layer.folder.length + 1).split("/")[0];
  if (part(file) === part(target)) return undefined;
  return `"${part(file)}" must not import its sibling "${part(target)}"`;
}

function packageProblem(name: string, layer: Layer, found: Import): string | undefined {
  if (layer.packages === "any") return undefined;
  const parts = (found.specifier ?? "").split("/");
  const wanted = parts.slice(0, parts[0]?.startsWith("@") ? 2 : 1).join("/");
  if (layer.packages.includes(wanted)) return undefined;
  if (!layer.typePackages?.includes(wanted)) return `${name} must not import package "${wanted}"`;
  return found.kind === "type" ? undefined : `${name} may import only types of "${wanted}"`;
}

function resolve(file: string, specifier: string): string {
  const parts = file.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
