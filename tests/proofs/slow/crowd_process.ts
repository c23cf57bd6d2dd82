/** The process behind `SlowCrowd`: `crowd_process.ts OPTIONS`, as JSON. Attacks until SIGTERM, then tells. */
import process from "node:process";
import { Connection } from "../../../bench/connection.ts";
import { Session } from "../../../bench/session.ts";
import { median } from "../../../bench/stats.ts";
import { heldBy } from "./held_sockets.ts";
import { type Asker, isReader, type Kind, KINDS, SlowConnection } from "./connection.ts";
import type { Fate, Fates, SlowCrowdOptions, Times } from "./crowd.ts";

const TICK_MS = 100;
const LOOK_MS = 2000;
/** Between two bytes that a connection sends, or two sips it takes. */
const LITTLE_MS = 5000;
/** Calls of one session: it may not have many streams. */
const SESSION_CALLS = 25;
/** What an answer has to begin with. One that took more than a second may be a stream instead of JSON. */
const BEGINS: Partial<Record<Kind, RegExp>> = {
  answer: /^HTTP\/1\.1 200 /,
  stream: /^HTTP\/1\.1 200 [^]*text\/event-stream/i,
};
const STREAMED = /text\/event-stream/i;

const options = JSON.parse(process.argv[2] ?? "") as SlowCrowdOptions;
const url = new URL(options.url);
const sessions: Session[] = [];
const slots = new Map<Kind, SlowConnection[]>(KINDS.map((kind) => [kind, []]));
const past = new Map<Kind, SlowConnection[]>(KINDS.map((kind) => [kind, []]));
const counted = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
/** Readers whose connection was held at the last look: the gateway may be late to take a new one. */
let heldBefore = new Set<SlowConnection>();
let calls = 0;
let turn = 0;
let allAreThere = false;

await openSessions();
const began = performance.now();
setInterval(tick, TICK_MS);
setInterval(look, LOOK_MS);
process.on("SIGTERM", () => {
  process.stdout.write(`fates ${JSON.stringify(fates())}\n`, () => process.exit(0));
});

async function openSessions(): Promise<void> {
  const connection = await Connection.open(url);
  const readers = KINDS.filter(isReader).length * options.each;
  while (sessions.length * SESSION_CALLS < readers) {
    sessions.push(await Session.open(url, connection));
  }
  connection.close();
}

function tick(): void {
  const due = Math.ceil((performance.now() - began) * options.perSecond / 1000);
  for (const [kind, slot] of slots) {
    while (slot.length < Math.min(due, options.each)) slot.push(open(kind));
  }
  reopen();
  nextTurn();
  if (allAreThere || !all().every(({ openedAt }) => openedAt !== undefined)) return;
  allAreThere = all().length === KINDS.length * options.each;
  if (allAreThere) process.stdout.write("all are there\n");
}

function open(kind: Kind): SlowConnection {
  const number = calls++;
  const session = sessions[Math.floor(number / KINDS.length) % sessions.length] as Session;
  const asker: Asker = { url, session, large: options.large, nonce: `slow-${number}` };
  return new SlowConnection(kind, asker);
}

/** Who only sends comes back when it was closed: the attack goes on. */
function reopen(): void {
  for (const [kind, slot] of slots) {
    if (isReader(kind)) continue;
    slot.forEach((connection, place) => {
      if (connection.closedAt === undefined) return;
      past.get(kind)?.push(connection);
      slot[place] = open(kind);
    });
  }
}

/** Each connection does a little when it is its turn. */
function nextTurn(): void {
  const turns = LITTLE_MS / TICK_MS;
  for (const slot of slots.values()) {
    for (let place = turn; place < slot.length; place += turns) slot[place]?.goOn();
  }
  turn = (turn + 1) % turns;
}

function look(): void {
  const held = heldBy(Number(url.port));
  const readers = all().filter((each) => isReader(each.kind) && isOpen(each));
  const isHeld = ({ port }: SlowConnection) => port !== undefined && held.has(port);
  for (const reader of readers) {
    if (heldBefore.has(reader) && !isHeld(reader)) reader.ended();
  }
  heldBefore = new Set(readers.filter(isHeld));
  if (!allAreThere) return;
  for (const [kind, slot] of slots) counted.get(kind)?.push(slot.filter(isOpen).length);
}

function all(): SlowConnection[] {
  return [...slots.values()].flat();
}

function isOpen({ openedAt, closedAt }: SlowConnection): boolean {
  return openedAt !== undefined && closedAt === undefined;
}

function fates(): Fates {
  const now = performance.now();
  return Object.fromEntries(KINDS.map((kind) => [kind, fateOf(kind, now)])) as Record<Kind, Fate>;
}

function fateOf(kind: Kind, now: number): Fate {
  const connections = [...past.get(kind) ?? [], ...slots.get(kind) ?? []]
    .filter(({ openedAt }) => openedAt !== undefined);
  const age = ({ openedAt = now }: SlowConnection, at: number | undefined) =>
    (at ?? now) - openedAt;
  const closed = connections.filter((connection) => !isOpen(connection));
  const told = connections.filter(({ toldAt }) => toldAt !== undefined);
  const untold = connections.filter(({ toldAt }) => toldAt === undefined);
  const wrong = connections.filter(({ heard }) => !(BEGINS[kind]?.test(heard) ?? true));
  const [wrongly] = wrong;
  return {
    standing: median(counted.get(kind) ?? []),
    opened: connections.length,
    closed: timesOf(closed.map((connection) => age(connection, connection.closedAt))),
    told: timesOf(told.map((connection) => age(connection, connection.toldAt))),
    oldestMs: mostOf(connections.filter(isOpen).map((each) => age(each, undefined))),
    oldestUntoldMs: mostOf(untold.map((each) => age(each, each.closedAt))),
    streamed: connections.filter(({ heard }) => STREAMED.test(heard)).length,
    wrong: wrong.length,
    ...(wrongly === undefined ? {} : { wrongly: wrongly.heard.slice(0, 300) }),
  };
}

function timesOf(times: readonly number[]): Times {
  const count = times.length;
  if (count === 0) return { count, median: 0, most: 0 };
  return { count, median: Math.round(median(times)), most: mostOf(times) };
}

function mostOf(times: readonly number[]): number {
  return Math.round(Math.max(0, ...times));
}
