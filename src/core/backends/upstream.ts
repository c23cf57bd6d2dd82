/** What our clients want from one backend as a whole: subscriptions, counted, and the log level. */
import { SentinelError } from "../../contract/mod.ts";
import { isObject } from "../mcp/json.ts";
import { moreVerbose } from "../session/log_levels.ts";
import type { Session } from "../session/session.ts";
import type { Subscriber } from "../session/subscriber.ts";
import type { Link, LinkReply } from "./link.ts";
import { type Agreed, request, UpstreamRequests } from "./upstream_requests.ts";

/** Distinct URIs subscribed at one backend. */
const MAX_SUBSCRIPTIONS = 10_000;
/** URL elicitations of one backend whose completion is awaited; the oldest are forgotten. */
const MAX_ELICITATIONS = 1000;
const DONE: LinkReply = { result: "{}" };

interface Subscription {
  readonly subscribers: Set<Subscriber>;
  /** What the backend answered to the first subscriber; the others share it. */
  asked: Promise<LinkReply>;
}

/** What a new link was told, in words, and the resources it tells no updates of any more. */
export interface Replayed {
  readonly told: readonly string[];
  readonly refused: readonly string[];
}

export class Upstream {
  readonly #wantedLogLevel: () => string | undefined;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #requests = new UpstreamRequests();
  /** Who was sent to which URL, by `elicitationId`. */
  readonly #elicitations = new Map<string, Session>();
  /** The most verbose level that a request without a session wanted; it comes once and leaves nothing behind. */
  #wantedOnce: string | undefined;
  /** What each link was last told, so that nothing is told twice. */
  readonly #told = new WeakMap<Link, string>();
  /** The last link all of it was replayed to: calls may not use it yet. */
  #newest: Link | undefined;

  constructor(wantedLogLevel: () => string | undefined) {
    this.#wantedLogLevel = wantedLogLevel;
  }

  subscribers(uri: string): Iterable<Subscriber> {
    return this.#subscriptions.get(uri)?.subscribers ?? [];
  }

  /**
   * The first subscriber of a URI asks the backend; the others are counted. Without a link it is noted: the
   * next one is told.
   * @throws SentinelError OVERLOADED, or as a request does
   */
  async subscribe(
    uri: string,
    subscriber: Subscriber,
    link: Link | undefined,
  ): Promise<LinkReply> {
    const subscription = this.#subscriptions.get(uri) ?? this.#add(uri, link ?? this.#coming());
    // Before the answer: the first update may come with it.
    subscription.subscribers.add(subscriber);
    const reply = await subscription.asked;
    if ("error" in reply) this.#forget(uri, subscription);
    return reply;
  }

  /** The last subscriber of a URI tells the backend. */
  async unsubscribe(
    uri: string,
    subscriber: Subscriber,
    link: Link | undefined,
  ): Promise<LinkReply> {
    const subscribers = this.#subscriptions.get(uri)?.subscribers;
    if (subscribers === undefined || !subscribers.delete(subscriber)) return DONE;
    if (subscribers.size > 0) return DONE;
    this.#subscriptions.delete(uri);
    const told = link ?? this.#coming();
    if (told === undefined) return DONE;
    if (told.era === "modern") {
      await this.#watch(told);
      return DONE;
    }
    return await this.#requests.say(told, "resources/unsubscribe", uri);
  }

  /** A client was asked to visit a URL; the news that it is done comes outside any call. */
  awaitCompletion(elicitationId: string, session: Session): void {
    this.#elicitations.set(elicitationId, session);
    if (this.#elicitations.size <= MAX_ELICITATIONS) return;
    const [oldest] = this.#elicitations.keys();
    if (oldest !== undefined) this.#elicitations.delete(oldest);
  }

  /** Whom the completion of this elicitation concerns. */
  completed(elicitationId: unknown): Session | undefined {
    return typeof elicitationId === "string" ? this.#elicitations.get(elicitationId) : undefined;
  }

  /** Tells a new link what the one before it knew. @throws SentinelError as a request does */
  async replay(link: Link): Promise<Replayed> {
    this.#newest = link;
    this.applyLogLevel(link);
    const level = this.#told.get(link);
    const known = this.#subscriptions.size;
    const refused: string[] = [];
    const answers = [...this.#subscriptions].map(async ([uri, subscription]) => {
      const asked = this.#ask(link, uri);
      subscription.asked = asked;
      // Lost before it answered: the next link is told, and whoever comes until then is counted.
      asked.catch(() => subscription.asked = Promise.resolve(DONE));
      if (!("error" in await asked)) return;
      refused.push(uri);
      this.#forget(uri, subscription);
    });
    await Promise.all(answers);
    const told = [
      ...(level === undefined ? [] : [`log level ${level}`]),
      ...(known === 0 ? [] : [`${known - refused.length} of ${known} subscriptions`]),
    ];
    return { told, refused };
  }

  /** As `applyLogLevel`, for a level that one request alone wants. */
  wantLogLevel(level: string, link: Link): void {
    this.#wantedOnce = moreVerbose(this.#wantedOnce, level);
    this.applyLogLevel(link);
  }

  /**
   * Asks the link for the most verbose level any session wants; each session filters for itself. A modern
   * backend is told with each request.
   */
  applyLogLevel(link: Link): void {
    const level = moreVerbose(this.#wantedLogLevel(), this.#wantedOnce);
    if (
      level === undefined || this.#told.get(link) === level || link.era === "modern" ||
      !isObject(link.capabilities["logging"])
    ) return;
    this.#told.set(link, level);
    // A backend that refuses the level only stays as talkative as it is; nobody waits for the answer.
    request(link, "logging/setLevel", { level }).catch(() => this.#told.delete(link));
  }

  /** The subscriber has ended. */
  release(subscriber: Subscriber, link: Link | undefined): void {
    for (const [id, asked] of this.#elicitations) {
      if (asked === subscriber) this.#elicitations.delete(id);
    }
    for (const [uri, { subscribers }] of this.#subscriptions) {
      if (!subscribers.has(subscriber)) continue;
      // A lost link has forgotten the subscription anyway.
      this.unsubscribe(uri, subscriber, link?.open === true ? link : undefined).catch(() => {});
    }
  }

  #add(uri: string, link: Link | undefined): Subscription {
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      throw new SentinelError("OVERLOADED", "Cannot subscribe: too many resources are subscribed", {
        reason: `at most ${MAX_SUBSCRIPTIONS} for a backend`,
      });
    }
    const subscription: Subscription = {
      subscribers: new Set(),
      asked: link === undefined ? Promise.resolve(DONE) : this.#ask(link, uri),
    };
    this.#subscriptions.set(uri, subscription);
    subscription.asked.catch(() => this.#forget(uri, subscription));
    const coming = this.#coming();
    // It takes the place of the one in use without being told again.
    if (coming !== undefined && coming !== link) this.#ask(coming, uri).catch(() => {});
    return subscription;
  }

  #ask(link: Link, uri: string): Promise<LinkReply> {
    if (link.era === "modern") return this.#watch(link).then((agreed) => agreed(uri));
    return this.#requests.say(link, "resources/subscribe", uri);
  }

  #watch(link: Link): Promise<Agreed> {
    return this.#requests.watch(link, () => this.#subscriptions.keys());
  }

  /** Unless another one has taken its place meanwhile. */
  #forget(uri: string, subscription: Subscription): void {
    if (this.#subscriptions.get(uri) === subscription) this.#subscriptions.delete(uri);
  }

  #coming(): Link | undefined {
    return this.#newest?.open === true ? this.#newest : undefined;
  }
}
