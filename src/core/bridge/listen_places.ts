/** Which backend tells a listen of which resource: where its view finds the resource now. */
import type { Backend } from "../backends/backend.ts";
import type { Target, View } from "../catalog/types.ts";
import { isObject } from "../mcp/json.ts";
import type { Shown } from "../rules/interceptors.ts";
import type { World } from "../runtime/world.ts";
import type { Listen } from "./listen.ts";

/** What a backend said to each resource that it was asked for, once it has. */
export type Answers = ReadonlyMap<string, Promise<boolean>>;

const NONE: Answers = new Map();

/**
 * Follows what the listen may read, each at its backend, and nothing else any more. Asks again only where
 * something changed. Never rejects.
 * @returns by URI whether the backend agreed; without those that cannot be followed
 */
export async function place(listen: Listen, world: () => World): Promise<Answers> {
  for (;;) {
    const before = world();
    const targets = targetsOf(listen, before);
    const shows = await shownOf(listen, before, [...targets.values()]);
    if (listen.closed) return NONE;
    // What it may read changed while interceptors thought about it.
    if (world().catalog !== before.catalog || world().interceptors !== before.interceptors) {
      continue;
    }
    return move(listen, before, (uri) => {
      const target = targets.get(uri);
      return target !== undefined && shows(target) ? target.backend : undefined;
    });
  }
}

/** Follows nothing any more. */
export function leave(listen: Listen, world: World): void {
  for (const uri of [...listen.places.keys()]) unplace(listen, world, uri);
}

function targetsOf(listen: Listen, { catalog, backends }: World): Map<string, Target> {
  const view: View | undefined = catalog.view(listen.toolset, listen.principal);
  const targets = new Map<string, Target>();
  for (const uri of listen.uris) {
    const target = view?.resource(uri, listen.caller.producers.get(uri));
    if (target !== undefined && tellsUpdates(backends.get(target.backend))) {
      targets.set(uri, target);
    }
  }
  return targets;
}

function tellsUpdates(backend: Backend | undefined): boolean {
  const resources = backend?.found?.capabilities["resources"];
  return isObject(resources) && resources["subscribe"] === true;
}

/** What cannot be judged is not shown. */
async function shownOf(
  listen: Listen,
  { interceptors }: World,
  targets: readonly Target[],
): Promise<Shown> {
  if (!interceptors.looksAtLists || targets.length === 0) return () => true;
  try {
    return await interceptors.listed(listen, targets);
  } catch {
    return () => false;
  }
}

function move(
  listen: Listen,
  world: World,
  placeOf: (uri: string) => string | undefined,
): Answers {
  const answers = new Map<string, Promise<boolean>>();
  for (const uri of listen.uris) {
    const name = placeOf(uri);
    if (listen.places.get(uri) !== name) unplace(listen, world, uri);
    const backend = name === undefined ? undefined : world.backends.get(name);
    if (name === undefined || backend === undefined) continue;
    listen.places.set(uri, name);
    const agreed = backend.follow(uri, listen).then((reply) => !("error" in reply), () => false);
    answers.set(uri, agreed);
  }
  return answers;
}

function unplace(listen: Listen, { backends }: World, uri: string): void {
  const name = listen.places.get(uri);
  if (name === undefined) return;
  listen.places.delete(uri);
  // A backend that is lost has forgotten it anyway.
  backends.get(name)?.unsubscribe(uri, listen)?.catch(() => {});
}
