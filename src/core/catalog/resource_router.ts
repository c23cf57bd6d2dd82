import type { JsonObject } from "../mcp/json.ts";
import { definitionOf, type Entry } from "./entry.ts";
import type { ItemList } from "./item_list.ts";
import { isRecord } from "./members.ts";
import { compileTemplate, type UriTemplate } from "./template.ts";
import { EVERYTHING, type Selection } from "./selection.ts";
import type { Target } from "./types.ts";
import { hasDotSegments, plainUri } from "./uri_spelling.ts";

/** Longer URIs are found only when listed: matching them against many templates would take too long. */
const MAX_MATCHED = 8192;
/** Resources that are part of a tool; a backend need not list them. */
const UI = "ui://";

interface Route {
  readonly template: UriTemplate;
  readonly backend: string;
}

export interface RouterOptions {
  /** Those of the view. */
  readonly resources: ItemList;
  readonly templates: ItemList;
  readonly tools: ItemList;
  readonly selection: Selection;
  /** URIs of all resources that somebody is shown. */
  readonly listed: ReadonlySet<string>;
  /** The one backend within reach that has resources, if it is one. */
  readonly only: string | undefined;
}

/** Finds the backend of a resource within one view. */
export class ResourceRouter {
  readonly #resources: ItemList;
  readonly #selection: Selection;
  readonly #listed: ReadonlySet<string>;
  readonly #only: string | undefined;
  /** Backends by the URIs that their tools name for showing their results. */
  readonly #interfaces: ReadonlyMap<string, string>;
  /** Most specific first; equal ones in the order of the configuration. */
  readonly #routes: readonly Route[];

  constructor({ resources, templates, tools, selection, listed, only }: RouterOptions) {
    this.#resources = resources;
    this.#selection = selection;
    this.#listed = listed;
    this.#only = only;
    this.#interfaces = interfacesOf(tools);
    this.#routes = templates.entries.flatMap(toRoute)
      .sort((a, b) => b.template.literals - a.template.literals);
  }

  /** `producer`: the backend that is known to have mentioned the URI. */
  find(uri: string, producer?: string): Target | undefined {
    const exact = this.#resources.get(uri);
    if (exact !== undefined) return exact.target;
    if (this.#hides(uri)) return undefined;
    const isShown = this.#selection.shows("resource", uri);
    const backend = (isShown ? this.#interfaces.get(uri) : undefined) ?? this.#byTemplate(uri) ??
      (isShown ? producer ?? this.#only : undefined);
    if (backend === undefined) return undefined;
    return { kind: "resource", backend, original: uri, exposed: uri, defaults: undefined };
  }

  /** A listed resource that this view does not show must not be had through a template either. */
  #hides(uri: string): boolean {
    if (this.#selection === EVERYTHING) return false;
    const plain = plainUri(uri);
    return this.#listed.has(uri) ||
      this.#listed.has(plain) && this.#resources.get(plain) === undefined ||
      hasDotSegments(plain) || this.#selection.denies(uri) || this.#selection.denies(plain);
  }

  #byTemplate(uri: string): string | undefined {
    if (uri.length > MAX_MATCHED) return undefined;
    return this.#routes.find(({ template }) => template.matches(uri))?.backend;
  }
}

/** Of two backends with one URI the first has it, as with resources that are listed. */
function interfacesOf(tools: ItemList): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { target } of tools.entries) {
    const uri = interfaceOf(definitionOf(target));
    if (typeof uri !== "string" || !uri.startsWith(UI) || found.has(uri)) continue;
    found.set(uri, target.backend);
  }
  return found;
}

/** Servers before the extension had its own member write the name with a slash. */
function interfaceOf({ _meta: meta }: JsonObject): unknown {
  if (!isRecord(meta)) return undefined;
  return isRecord(meta["ui"]) ? meta["ui"]["resourceUri"] : meta["ui/resourceUri"];
}

function toRoute({ target }: Entry): Route[] {
  const template = compileTemplate(target.original);
  return template === undefined ? [] : [{ template, backend: target.backend }];
}
