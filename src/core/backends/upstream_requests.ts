/** How one backend is told which resources somebody wants to hear of, in either era. */
import { isObject } from "../mcp/json.ts";
import type { Link, LinkReply } from "./link.ts";

const ANSWER_MS = 10_000;
/** Requests about resources that one backend has to answer at the same time. */
const AT_ONCE = 16;
const NOT_TOLD: LinkReply = {
  error: { code: -32602, message: "The backend tells of no updates of this resource" },
};

/** What a modern backend agreed to, as an answer for each resource that was asked for. */
export type Agreed = (uri: string) => LinkReply;

export type ResourceMethod = "resources/subscribe" | "resources/unsubscribe";

/** Keeps what is told in the order in which it was decided; a wire does not (HTTP). */
export class UpstreamRequests {
  /** Settles when all that was said of a URI so far is answered. */
  readonly #said = new Map<string, Promise<void>>();
  readonly #queue: (() => void)[] = [];
  #free = AT_ONCE;
  /** The next watch of a link, which has not read yet what it shall watch. */
  readonly #nextWatch = new WeakMap<Link, Promise<Agreed>>();
  readonly #lastWatch = new WeakMap<Link, Promise<void>>();

  /** For legacy links. @throws SentinelError as a request does */
  say(link: Link, method: ResourceMethod, uri: string): Promise<LinkReply> {
    const reply = this.#say(() => request(link, method, { uri }), this.#said.get(uri));
    const said = settled(reply).then(() => {
      if (this.#said.get(uri) === said) this.#said.delete(uri);
    });
    this.#said.set(uri, said);
    return reply;
  }

  /**
   * For modern links: one request for all that changes in a turn, and the next when that one is answered.
   * @throws SentinelError as a request does
   */
  watch(link: Link, uris: () => Iterable<string>): Promise<Agreed> {
    const known = this.#nextWatch.get(link);
    if (known !== undefined) return known;
    const next = (this.#lastWatch.get(link) ?? Promise.resolve()).then(async () => {
      this.#nextWatch.delete(link);
      return agreedBy(await watched(link, [...uris()]));
    });
    this.#nextWatch.set(link, next);
    this.#lastWatch.set(link, settled(next));
    return next;
  }

  async #say(
    send: () => Promise<LinkReply>,
    before: Promise<void> | undefined,
  ): Promise<LinkReply> {
    if (before !== undefined) await before;
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await send();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** @throws SentinelError as `Link.request` does */
export function request(
  link: Link,
  method: string,
  params: { uri: string } | { level: string },
): Promise<LinkReply> {
  return link.request({ method, params, owner: "", timeoutMs: ANSWER_MS }).reply;
}

function watched(link: Link, uris: readonly string[]): Promise<LinkReply> {
  const reply = link.watch?.(uris);
  if (reply !== undefined) return reply;
  return Promise.resolve(NOT_TOLD);
}

/** Who names no resources when agreeing leaves none out. */
function agreedBy(reply: LinkReply): Agreed {
  if ("error" in reply) return () => reply;
  const notifications: unknown = JSON.parse(reply.result);
  const named = isObject(notifications) ? notifications["resourceSubscriptions"] : undefined;
  const agreed = Array.isArray(named) ? new Set<unknown>(named) : undefined;
  return (uri) => agreed === undefined || agreed.has(uri) ? { result: "{}" } : NOT_TOLD;
}

function settled(reply: Promise<unknown>): Promise<void> {
  return reply.then(() => {}, () => {});
}
