/** `$ref` of a schema, which may only lead to another place of the same schema. Nothing is ever fetched. */
import type { JsonObject } from "../mcp/json.ts";
import { isRecord } from "./members.ts";
import { UnusableSchema } from "./unusable_schema.ts";

const DYNAMIC = ["$dynamicRef", "$recursiveRef"];

export class SchemaReferences {
  /** What is referred to; the whole schema is the first. */
  readonly targets: JsonObject[];
  readonly #indexes: Map<JsonObject, number>;
  readonly #root: JsonObject;
  readonly #id: string | undefined;
  readonly #anchors = new Map<string, JsonObject>();
  /** References that judge the same value, by the definition they stand in. */
  readonly #inPlace = new Map<number, Set<number>>();
  /** A schema within has a base of its own, so references are not what they seem. */
  #hasBases = false;

  constructor(root: JsonObject) {
    this.#root = root;
    this.targets = [root];
    this.#indexes = new Map([[root, 0]]);
    const { $id } = root;
    this.#id = typeof $id === "string" ? $id.replace(/#$/, "") : undefined;
    this.#look(root);
  }

  /** The same reference in the normal form; `from` is the definition when it judges the same value. */
  to(reference: string, from: number | undefined): string {
    const target = this.#resolve(reference);
    let index = this.#indexes.get(target);
    if (index === undefined) {
      index = this.targets.push(target) - 1;
      this.#indexes.set(target, index);
    }
    if (from !== undefined) {
      const known = this.#inPlace.get(from) ?? new Set();
      this.#inPlace.set(from, known.add(index));
    }
    return index === 0 ? "#" : `#/$defs/${index}`;
  }

  /** A value would be judged forever. */
  refuseLoops(): void {
    const done = new Set<number>();
    const open = new Set<number>();
    const visit = (index: number): void => {
      if (done.has(index)) return;
      if (open.has(index)) throw new UnusableSchema("a reference leads back to itself");
      if (open.size > MAX_CHAIN) throw new UnusableSchema("its references are a chain too long");
      open.add(index);
      for (const next of this.#inPlace.get(index) ?? []) visit(next);
      open.delete(index);
      done.add(index);
    };
    for (const index of this.#inPlace.keys()) visit(index);
  }

  #resolve(reference: string): JsonObject {
    const own = this.#id !== undefined && reference.startsWith(this.#id);
    const text = own ? reference.slice(this.#id?.length) : reference;
    if (text !== "" && !text.startsWith("#")) {
      throw new UnusableSchema("it refers to another document, which is not fetched");
    }
    if (this.#hasBases) throw new UnusableSchema('it has references and "$id" within');
    const found = this.#find(text.slice(1));
    if (typeof found === "boolean") return found ? {} : { not: {} };
    if (!isRecord(found)) throw new UnusableSchema("it refers to what is not there");
    return found;
  }

  #find(fragment: string): unknown {
    if (fragment === "") return this.#root;
    if (!fragment.startsWith("/")) return this.#anchors.get(fragment);
    let found: unknown = this.#root;
    for (const part of fragment.slice(1).split("/")) {
      const key = decoded(part).replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) {
        return undefined;
      }
      found = (found as JsonObject)[key];
    }
    return found;
  }

  /** Finds anchors wherever a schema may stand; where none may, a name that looks like one does no harm. */
  #look(value: unknown, depth = 0): void {
    if (typeof value !== "object" || value === null) return;
    if (depth > MAX_CHAIN) throw new UnusableSchema(`it is deeper than ${MAX_CHAIN}`);
    for (const inner of Object.values(value)) this.#look(inner, depth + 1);
    if (!isRecord(value)) return;
    const { $id, $anchor } = value;
    if (typeof $anchor === "string") this.#anchors.set($anchor, value);
    if (typeof $id === "string" && $id.startsWith("#")) this.#anchors.set($id.slice(1), value);
    else if (typeof $id === "string" && value !== this.#root) this.#hasBases = true;
    if (DYNAMIC.some((keyword) => typeof value[keyword] === "string")) {
      throw new UnusableSchema("it has references that depend on the way to them");
    }
  }
}

/** Nested objects, and references that lead to references. */
const MAX_CHAIN = 200;

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // Not encoded, then.
  }
}
