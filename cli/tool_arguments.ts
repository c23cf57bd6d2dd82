/** Arguments of a tool as people write them: JSON, or `name=value`. */
import { CommandFailed, EXIT } from "./exit.ts";
import type { Io } from "./io.ts";
import { visible } from "./text.ts";

export type Arguments = Readonly<Record<string, unknown>>;

interface Written {
  readonly io: Pick<Io, "input">;
  /** One JSON object, or `-` for stdin. */
  readonly json: string | undefined;
  /** `name=value` each; they win over the object. */
  readonly pairs?: readonly string[];
  /** Schema of the arguments, where it is known: it tells which values are texts. */
  readonly schema?: unknown;
}

/** The gateway takes no larger message either, unless it is told to. */
const LARGEST_INPUT = 4 * 1024 * 1024;

/** @throws CommandFailed for what is no JSON object, or no pair */
export async function readArguments(written: Written): Promise<Arguments> {
  const { io, json, pairs = [], schema } = written;
  const text = json === "-" ? await readInput(io) : json;
  const given = text === undefined ? {} : parseObject(text);
  const own = pairs.map((pair) => parsePair(pair, schema));
  return Object.fromEntries([...Object.entries(given), ...own]);
}

/** Everything on stdin. @throws CommandFailed when it is too long or no UTF-8 */
export async function readInput({ input }: Pick<Io, "input">): Promise<string> {
  try {
    return await input(LARGEST_INPUT);
  } catch (thrown) {
    throw new CommandFailed(EXIT.usage, `cannot read stdin: ${(thrown as Error).message}`);
  }
}

function parseObject(text: string): Arguments {
  const hint = `such as --args '{"name":"value"}'`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    const message = `the arguments are not JSON: ${visible((thrown as Error).message)}`;
    throw new CommandFailed(EXIT.usage, message, hint);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Arguments;
  }
  throw new CommandFailed(EXIT.usage, "the arguments are no JSON object", hint);
}

function parsePair(pair: string, schema: unknown): [string, unknown] {
  const [, name, value = ""] = /^([^=]+)=([^]*)$/.exec(pair) ?? [];
  if (name === undefined) {
    const message = `"${visible(pair)}" is no argument of a tool`;
    throw new CommandFailed(EXIT.usage, message, "write name=value, or --args JSON");
  }
  return [name, isText(schema, name) ? value : valueOf(value)];
}

/** A number in a place for texts stays the text it was written as. */
function isText(schema: unknown, name: string): boolean {
  const properties = memberOf(schema, "properties");
  return memberOf(memberOf(properties, name), "type") === "string";
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
