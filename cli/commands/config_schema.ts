import { jsonSchema } from "../../src/config/json_schema.ts";
import { EXIT } from "../exit.ts";
import type { Output } from "../output.ts";

/** Prints the JSON Schema of the file. It is JSON by nature, so --json changes nothing. */
export function configSchema(output: Output): number {
  output.line(JSON.stringify(jsonSchema(), null, 2));
  return EXIT.done;
}
