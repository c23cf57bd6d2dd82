/** Two gateways over one Redis, and clients whose requests go to the one or the other. */
import { ManagedGateway, type Tables } from "../proofs/managed_gateway.ts";
import type { FetchHandler } from "../../src/core/mod.ts";
import { executable, REPOSITORY } from "../support/runtime.ts";
import { eventsOf, HttpSession, overHttp, type Rpc } from "../support/http_session.ts";
import { join } from "node:path";
import { until } from "./until.ts";

const WAIT_MS = 30_000;

/** Where a client's next request goes; a load balancer decides that in the field. */
export class Way {
  readonly fetch: FetchHandler = (request) => overHttp(this.#to.url.href)(request);
  #to: ManagedGateway;

  constructor(to: ManagedGateway) {
    this.#to = to;
  }

  turn(to: ManagedGateway): void {
    this.#to = to;
  }
}

/** The fixture server as a child of each gateway. */
const FIXTURE = {
  command: executable("node"),
  args: [join(REPOSITORY, "tests/fixtures/backend.mjs")],
};

export function replicaTables(redis: { readonly url: string }, more: Tables = {}): Tables {
  return {
    audit: { store: "off" },
    sessions: { store: "redis", url: redis.url },
    backends: { f: FIXTURE, own: { ...FIXTURE, instances: "per-session" } },
    ...more,
  };
}

/** A session and the way its requests take. */
export interface Travelling {
  readonly way: Way;
  readonly session: HttpSession;
}

export async function openAt(
  gateway: ManagedGateway,
  headers: Record<string, string> = {},
): Promise<Travelling> {
  const way = new Way(gateway);
  const session = await HttpSession.open(way.fetch, {
    capabilities: { elicitation: {}, roots: {} },
    headers,
  });
  return { way, session };
}

/** A message that does not come fails its test, not the whole file. */
const PATIENCE_MS = 20_000;

async function within<T>(coming: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("no message came")), PATIENCE_MS);
  try {
    return await Promise.race([coming, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Messages of a stream as they come, with their ids. */
export class Messages {
  /** Of the last event. */
  lastId: string | undefined;
  readonly #events: AsyncGenerator<{ readonly id: string | undefined; readonly data: string }>;

  constructor(response: Response) {
    this.#events = eventsOf(response);
  }

  /** Id of the event without data that a stream begins with. */
  async beginning(): Promise<string> {
    const { value } = await within(this.#events.next());
    if (value?.data !== "") throw new Error(`the stream begins with ${JSON.stringify(value)}`);
    return String(value.id);
  }

  /** The next one; undefined when the stream has ended. */
  async next(): Promise<Rpc | undefined> {
    for (;;) {
      const { value, done } = await within(this.#events.next());
      if (done === true) return undefined;
      if (value.id !== undefined) this.lastId = value.id;
      if (value.data !== "") return JSON.parse(value.data) as Rpc;
    }
  }

  /** The next one with this method, or with this id when there is none. */
  async find(wanted: (message: Rpc) => boolean): Promise<Rpc> {
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error("the stream ended without it");
      if (wanted(message)) return message;
    }
  }

  /** The client goes away without a word. */
  async leave(): Promise<void> {
    await this.#events.return(undefined);
  }
}

/**
 * The answer to a request whose stream was lost: the client comes back with the id of its last event, again and
 * again, because a stream that ends without an answer says nothing.
 */
export async function comeBack(session: HttpSession, lastId: string): Promise<Rpc> {
  return await until(async () => {
    const stream = new Messages(await session.get({ "last-event-id": lastId }));
    return await stream.find(({ method, id }) => method === undefined && id !== undefined);
  }, WAIT_MS);
}
