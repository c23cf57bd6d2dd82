/** A backend's question, put to the person at the terminal. */
import type { Output } from "../output.ts";
import { visible } from "../text.ts";
import type { ElicitRequestFormParams, ElicitResult } from "./sdk.ts";

type Ask = (question: string) => Promise<string>;
type Value = string | number | boolean | string[];

/** The parts of a field that are looked at; what else it has only the backend knows. */
interface Field {
  readonly type?: unknown;
  readonly title?: unknown;
  readonly description?: unknown;
  readonly enum?: unknown;
  readonly default?: unknown;
}

/**
 * Asks field by field. Nothing is sent before the person agrees, and nobody is asked where nobody is: then the
 * client does not declare that it can.
 */
export async function askPerson(
  params: ElicitRequestFormParams,
  ask: Ask,
  output: Output,
): Promise<ElicitResult> {
  output.note(`\nThe tool asks: ${visible(params.message)}`);
  const answer = (await ask("Answer it? [y: yes, n: decline, else: cancel] ")).trim();
  if (/^n(o)?$/i.test(answer)) return { action: "decline" };
  if (!/^y(es)?$/i.test(answer)) return { action: "cancel" };
  const { properties, required = [] } = params.requestedSchema;
  const content: Record<string, Value> = {};
  for (const [name, field] of Object.entries(properties)) {
    const value = await askField({ name, field, isRequired: required.includes(name) }, ask, output);
    // A plain assignment would set the prototype for `__proto__`.
    if (value !== undefined) {
      Object.defineProperty(content, name, { value, enumerable: true, configurable: true });
    }
  }
  return { action: "accept", content };
}

interface Asked {
  readonly name: string;
  readonly field: Field;
  readonly isRequired: boolean;
}

/** Until the answer fits; an empty one is the default, or none where the field may be missing. */
async function askField(
  { name, field, isRequired }: Asked,
  ask: Ask,
  output: Output,
): Promise<Value | undefined> {
  const fallback = field.default as Value | undefined;
  for (;;) {
    const text = (await ask(questionOf({ name, field, isRequired }))).trim();
    if (text === "" && (fallback !== undefined || !isRequired)) return fallback;
    const value = valueOf(text, field);
    if (value !== undefined) return value;
    output.note(`write ${wanted(field)}`);
  }
}

function questionOf({ name, field, isRequired }: Asked): string {
  const { title, description, default: fallback } = field;
  const about = typeof description === "string" ? ` (${description})` : "";
  const given = fallback === undefined ? "" : ` [${JSON.stringify(fallback)}]`;
  const optional = isRequired || fallback !== undefined ? "" : " [may be empty]";
  const shown = typeof title === "string" ? title : name;
  return visible(`  ${shown}${about}, ${wanted(field)}${given}${optional}: `);
}

function wanted({ type, enum: words }: Field): string {
  if (Array.isArray(words)) return `one of ${words.map(String).join(", ")}`;
  switch (type) {
    case "boolean":
      return "y or n";
    case "integer":
      return "a whole number";
    case "number":
      return "a number";
    case "array":
      return "values separated by commas";
    default:
      return "a text";
  }
}

function valueOf(text: string, { type, enum: words }: Field): Value | undefined {
  if (text === "") return undefined;
  if (Array.isArray(words)) return words.includes(text) ? text : undefined;
  switch (type) {
    case "boolean":
      return /^(y(es)?|true)$/i.test(text) ? true : /^(no?|false)$/i.test(text) ? false : undefined;
    case "integer":
      return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
    case "number":
      return Number.isFinite(Number(text)) ? Number(text) : undefined;
    case "array":
      return text.split(",").map((part) => part.trim());
    default:
      return text;
  }
}
