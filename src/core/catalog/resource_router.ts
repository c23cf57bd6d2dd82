import type { Entry } from "./entry.ts";
import type { ItemList } from "./item_list.ts";
import { compileTemplate, type UriTemplate } from "./template.ts";
import { EVERYTHING, type Selection } from "./selection.ts";
import type { Target } from "./types.ts";
import { hasDotSegments, plainUri } from "./uri_spelling.ts";

/** Longer URIs are found only when listed: matching them against many templates would take too long. */
const MAX_MATCHED = 8192;

interface Route {
  readonly template: UriTemplate;
  readonly backend: string;
}

export interface RouterOptions {
  /** Those of the view. */
  readonly resources: ItemList;
  readonly templates: ItemList;
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
  /** Most specific first; equal ones in the order of the configuration. */
  readonly #routes: readonly Route[];

  constructor({ resources, templates, selection, listed, only }: RouterOptions) {
    this.#resources = resources;
    this.#selection = selection;
    this.#listed = listed;
    this.#only = only;
    this.#routes = templates.entries.flatMap(toRoute)
      .sort((a, b) => b.template.literals - a.template.literals);
  }

  /** `producer`: the backend that is known to have mentioned the URI. */
  find(uri: string, producer?: string): Target | undefined {
    const exact = this.#resources.get(uri);
    if (exact !== undefined) return exact.target;
    if (this.#hides(uri)) return undefined;
    const backend = this.#byTemplate(uri) ??
      (this.#selection.shows("resource", uri) ? producer ?? this.#only : undefined);
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

function toRoute({ target }: Entry): Route[] {
  const template = compileTemplate(target.original);
  return template === undefined ? [] : [{ template, backend: target.backend }];
}
