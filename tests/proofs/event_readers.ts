/** Readers of the event stream whose connections are cut again and again: what they have got at the end. */
import assert from "node:assert/strict";
import type { Fetch, RouteAnswer } from "../../src/client/mod.ts";
import { createManagementClient } from "../../src/client/mod.ts";
import type { Runtime } from "../support/runtime.ts";
import { CLIENT_CLOCK, ManagedGateway, READ_TOKEN } from "./managed_gateway.ts";
import { assertSame, cutAfter, RawReader } from "./raw_reader.ts";

type GatewayEvent = RouteAnswer<"eventStream">;

export interface ReadersOptions {
  /** At least so many events are made. */
  readonly events: number;
  /** Connections of each reader that are cut. */
  readonly cuts: number;
  readonly runtime?: Runtime;
}

export interface ReadersReport {
  readonly events: number;
  /** Connections of the typed client, and of the raw reader. */
  readonly connections: readonly [number, number];
  /** Events that the raw reader got, also those it asked for again. */
  readonly read: number;
}

/** Each act leaves two events: what was done, and that it is over. */
const EVENTS_OF_ACT = 2;
const WRITERS = 8;

/** @throws AssertionError when a reader has a gap or a duplicate */
export async function readersOfEvents(options: ReadersOptions): Promise<ReadersReport> {
  const gateway = await ManagedGateway.start({}, options.runtime);
  try {
    return await prove(gateway, options);
  } finally {
    await gateway.remove();
  }
}

async function prove(gateway: ManagedGateway, options: ReadersOptions): Promise<ReadersReport> {
  const reader = gateway.client(READ_TOKEN);
  const from = (await reader.request("status")).events.last;
  const followed = followWithCuts(gateway, { ...options, from });
  const raw = new RawReader(gateway, from);
  const reading = raw.read(options);
  reading.catch(() => {}); // awaited below; until then its failure must not end the process
  const truth = await makeAndList(gateway, options.events, from);
  const last = truth.at(-1)?.cursor ?? from;
  assert.ok(truth.length >= options.events, `${truth.length} events were made`);
  assertSame(await followed.until(last), truth, "the typed client");
  await Promise.race([reading, raw.arrivalOf(last)]);
  raw.close();
  await reading;
  raw.assertAll(truth);
  const connections = [followed.connections(), raw.slices.length] as const;
  assert.deepEqual(connections, [options.cuts + 1, options.cuts + 1], "every cut was made");
  const read = raw.slices.reduce((sum, { events }) => sum + events.length, 0);
  return { events: truth.length, connections, read };
}

/** Makes the events and lists them by pages, in two parts: the store drops the oldest at some time. */
async function makeAndList(
  gateway: ManagedGateway,
  count: number,
  from: string,
): Promise<GatewayEvent[]> {
  const events: GatewayEvent[] = [];
  for (const part of [Math.ceil(count / 2), Math.floor(count / 2)]) {
    await makeEvents(gateway, part);
    events.push(...await allEvents(gateway, events.at(-1)?.cursor ?? from));
  }
  return events;
}

/** Sets and clears kill switches, side by side; each reason is a number of its own. */
async function makeEvents(gateway: ManagedGateway, events: number): Promise<void> {
  let acts = Math.ceil(events / EVENTS_OF_ACT);
  const write = async (writer: number) => {
    for (let isSet = false; acts-- > 0; isSet = !isSet) {
      const asked = isSet ? { method: "DELETE" } : { method: "PUT", body: { reason: `${acts}` } };
      const { status, body } = await gateway.ask(`/kill-switches/tools/t${writer}`, asked);
      assert.equal(status, 200, JSON.stringify(body));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
}

/** By pages, without a stream. */
async function allEvents(gateway: ManagedGateway, from: string): Promise<GatewayEvent[]> {
  const events: GatewayEvent[] = [];
  const query = { after: from, limit: 1000 };
  for await (const event of gateway.client(READ_TOKEN).all("events", { query })) events.push(event);
  return events;
}

interface Following {
  /** All events up to a cursor. */
  until(cursor: string): Promise<readonly GatewayEvent[]>;
  connections(): number;
}

/** The typed client over connections that break within an event. */
function followWithCuts(
  gateway: ManagedGateway,
  { cuts, events: wanted, from }: ReadersOptions & { readonly from: string },
): Following {
  const events: GatewayEvent[] = [];
  let connections = 0;
  let look = () => {};
  const cutting: Fetch = async (url, init) => {
    const response = await fetch(url, init);
    // The first one before it brings an event.
    const cut = connections === 0 ? 1 : cutAfter(wanted, cuts);
    const bytes = connections++ < cuts ? cut : Infinity;
    return new Response(response.body?.pipeThrough(breakAfter(bytes)) ?? null, response);
  };
  const end = new AbortController();
  const client = createManagementClient({
    url: gateway.management,
    token: READ_TOKEN,
    fetch: cutting,
    // A cut is no reason to rest: there are many of them.
    clock: {
      now: CLIENT_CLOCK.now,
      after: (ms, run) => CLIENT_CLOCK.after(ms <= 1000 ? 0 : ms, run),
    },
    random: Math.random,
  });
  const following = (async () => {
    for await (const entry of client.follow("eventStream", { from, signal: end.signal })) {
      assert.equal(entry.kind, "event", JSON.stringify(entry));
      if (entry.kind === "event") events.push(entry.data);
      look();
    }
  })();
  following.catch(() => {}); // awaited by who wants the events
  const until = async (cursor: string) => {
    while (events.at(-1)?.cursor !== cursor) {
      await Promise.race([following, new Promise<void>((resolve) => look = resolve)]);
    }
    end.abort();
    await following;
    return events;
  };
  return { until, connections: () => connections };
}

/** Lets so many bytes pass, then fails as a lost connection does. */
function breakAfter(bytes: number): TransformStream<Uint8Array, Uint8Array> {
  let left = bytes;
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left));
      left -= chunk.length;
      if (left < 0) controller.error(new Error("connection lost"));
    },
  });
}
