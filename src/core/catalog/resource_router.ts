import type { Entry } from "./entry.ts";
import type { ItemList } from "./item_list.ts";
import { compileTemplate, type UriTemplate } from "./template.ts";
import type { Target } from "./types.ts";
import type { Selection } from "./selection.ts";

/** Longer URIs are found only when listed: matching them against many templates would take too long. */
const MAX_MATCHED = 8192;

interface Route {
  readonly template: UriTemplate;
  readonly backend: string;
}

/** Finds the backend of a resource within one view. */
export class ResourceRouter {
  readonly #resources: ItemList;
  readonly #selection: Selection;
  readonly #only: string | undefined;
  /** Most specific first; equal ones in the order of the configuration. */
  readonly #routes: readonly Route[];

  /** `only`: the one backend of the view that has resources, if it is one. */
  constructor(
    resources: ItemList,
    templates: ItemList,
    selection: Selection,
    only: string | undefined,
  ) {
    this.#resources = resources;
    this.#selection = selection;
    this.#only = only;
    this.#routes = templates.entries.flatMap(toRoute)
      .sort((a, b) => b.template.literals - a.template.literals);
  }

  /** `producer`: the backend that is known to have mentioned the URI. */
  find(uri: string, producer?: string): Target | undefined {
    const exact = this.#resources.get(uri);
    if (exact !== undefined) return exact.target;
    if (this.#selection.denies(uri)) return undefined;
    const backend = this.#byTemplate(uri) ??
      (this.#selection.shows("resource", uri) ? producer ?? this.#only : undefined);
    if (backend === undefined) return undefined;
    return { kind: "resource", backend, original: uri, exposed: uri, defaults: undefined };
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
