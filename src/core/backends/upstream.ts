/** What our sessions want from one backend as a whole: subscriptions, counted, and the log level. */
import { SentinelError } from "../../contract/mod.ts";
import { isObject } from "../mcp/json.ts";
import type { Session } from "../session/session.ts";
import type { Subscriber } from "../session/subscriber.ts";
import type { Link, LinkReply } from "./link.ts";

const ANSWER_MS = 10_000;
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

export class Upstream {
  readonly #wantedLogLevel: () => string | undefined;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Who was sent to which URL, by `elicitationId`. */
  readonly #elicitations = new Map<string, Session>();
  /** What each link was last told, so that nothing is told twice. */
  readonly #told = new WeakMap<Link, string>();

  constructor(wantedLogLevel: () => string | undefined) {
    this.#wantedLogLevel = wantedLogLevel;
  }

  subscribers(uri: string): Iterable<Subscriber> {
    return this.#subscriptions.get(uri)?.subscribers ?? [];
  }

  /** The first subscriber of a URI asks the backend; the others are counted. */
  async subscribe(uri: string, subscriber: Subscriber, link: Link): Promise<LinkReply> {
    const subscription = this.#subscriptions.get(uri) ?? this.#add(uri, link);
    // Before the answer: the first update may come with it.
    subscription.subscribers.add(subscriber);
    const reply = await subscription.asked;
    if ("error" in reply) this.#subscriptions.delete(uri);
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
    return link === undefined ? DONE : await ask(link, "resources/unsubscribe", { uri });
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

  /** Tells a new link what the one before it knew. */
  async replay(link: Link): Promise<void> {
    this.applyLogLevel(link);
    for (const [uri, subscription] of this.#subscriptions) {
      subscription.asked = ask(link, "resources/subscribe", { uri });
      if ("error" in await subscription.asked) this.#subscriptions.delete(uri);
    }
  }

  /** Asks the link for the most verbose level any session wants; each session filters for itself. */
  applyLogLevel(link: Link): void {
    const level = this.#wantedLogLevel();
    if (
      level === undefined || this.#told.get(link) === level ||
      !isObject(link.capabilities["logging"])
    ) return;
    this.#told.set(link, level);
    // A backend that refuses the level only stays as talkative as it is; nobody waits for the answer.
    ask(link, "logging/setLevel", { level }).catch(() => this.#told.delete(link));
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

  #add(uri: string, link: Link): Subscription {
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      throw new SentinelError("OVERLOADED", "Cannot subscribe: too many resources are subscribed", {
        reason: `at most ${MAX_SUBSCRIPTIONS} for a backend`,
      });
    }
    const subscription = {
      subscribers: new Set<Subscriber>(),
      asked: ask(link, "resources/subscribe", { uri }),
    };
    this.#subscriptions.set(uri, subscription);
    subscription.asked.catch(() => this.#subscriptions.delete(uri));
    return subscription;
  }
}

function ask(
  link: Link,
  method: string,
  params: { uri: string } | { level: string },
): Promise<LinkReply> {
  return link.request({ method, params, owner: "", timeoutMs: ANSWER_MS }).reply;
}
