/** What interceptors see of a call, made when it is first read and once. */
import type { Principal } from "../auth/principal.ts";
import { definitionOf } from "../catalog/entry.ts";
import type { ItemKind, Target } from "../catalog/types.ts";
import { plainUri } from "../catalog/uri_spelling.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import type { Caller } from "../session/caller.ts";
import type { IdentityFacts, SessionFacts, TargetFacts } from "./interceptor.ts";

/** What a tool that says nothing about itself has to be taken for (specification, tool annotations). */
const UNDECLARED = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: true,
} as const;

/** A class, because rules tell types of variables by their constructor. */
export class ToolFacts implements TargetFacts {
  readonly name: string;
  readonly backend: string;
  readonly original: string;
  readonly kind: ItemKind;
  readonly #target: Target;
  #annotations: JsonObject | undefined = undefined;

  constructor(target: Target) {
    const { kind, backend, original, exposed } = target;
    // Written as %73ecret a resource is still the same to its backend.
    this.name = kind === "resource" ? plainUri(exposed) : exposed;
    this.backend = backend;
    this.original = original;
    this.kind = kind;
    this.#target = target;
  }

  get annotations(): JsonObject {
    return this.#annotations ??= annotationsOf(this.#target);
  }
}

export class CallerIdentity implements IdentityFacts {
  readonly id: string;
  readonly subject: string;
  readonly issuer: string;
  readonly roles: readonly string[];

  constructor({ id, subject, issuer, roles }: Principal) {
    this.id = id;
    this.subject = subject;
    this.issuer = issuer ?? "";
    this.roles = roles ?? [];
  }
}

export class CallerSession implements SessionFacts {
  readonly id: string;
  readonly transport: string;
  readonly protocol: string;
  readonly client: string;
  readonly toolset: string;

  constructor({ ref, front, revision, client, toolset }: Caller) {
    this.id = ref ?? "";
    this.transport = front;
    this.protocol = revision;
    this.client = client ?? "";
    this.toolset = toolset ?? "";
  }
}

export class CallerRequest {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

const known = new WeakMap<Target, ToolFacts>();

export function factsOf(target: Target): ToolFacts {
  const facts = known.get(target) ?? new ToolFacts(target);
  known.set(target, facts);
  return facts;
}

function annotationsOf(target: Target): JsonObject {
  if (target.kind !== "tool") return {};
  const { annotations } = definitionOf(target);
  return isObject(annotations) ? { ...UNDECLARED, ...annotations } : UNDECLARED;
}
