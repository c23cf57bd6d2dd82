import type { SchemaCompiler } from "../../ports/schema_compiler.ts";
import { createAdaptiveCompiler } from "./adaptive.ts";

/** The compiler of a host with an event loop of its own; ajv is loaded once it is worth it. */
export function createSchemaCompiler(): SchemaCompiler {
  return createAdaptiveCompiler({
    load: async () => (await import("./ajv.ts")).compileVerdict,
    later: (task) => void setTimeout(task, 0),
  });
}
