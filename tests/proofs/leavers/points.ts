/** Where clients leave their calls, and what has to become of each call then. */
import type { Era } from "../../support/faults/script.ts";
import type { Asked } from "./calls.ts";
import type { Noted } from "./notebook.ts";

/**
 * - `connecting`: before anything was sent.
 * - `head part`, `head`, `body part`, `body`: when so much of the request was sent.
 * - `working`: the backend has the call.
 * - `cancelled`: as `working`, and a client of the legacy era says first that it cancels.
 * - `answer head`: the head of the answer has come.
 * - `answer`: a part of its body has come.
 */
const POINTS = [
  "connecting",
  "head part",
  "head",
  "body part",
  "body",
  "working",
  "cancelled",
  "answer head",
  "answer",
] as const;
export type Point = typeof POINTS[number];

/** Legacy and modern backends over HTTP and stdio. */
export const BACKENDS = ["remote", "remote-modern", "child", "child-modern"] as const;

/** A client that leaves. */
export interface Leaver {
  /** Also the id of its request. */
  readonly number: number;
  readonly nonce: string;
  readonly backend: typeof BACKENDS[number];
  /** Its own. */
  readonly era: Era;
  /** Its answer is an event stream, else JSON. */
  readonly isStreamed: boolean;
  readonly point: Point;
  /** It resets its connection, else it ends it in order. */
  readonly resets: boolean;
}

/** All combinations in turn. */
export const COMBINATIONS: number = POINTS.length * BACKENDS.length * 8;

export function leaverOf(number: number): Leaver {
  const [point, rest] = chosen(POINTS, number);
  const [backend, more] = chosen(BACKENDS, rest);
  const [era, forms] = chosen(["legacy", "modern"] as const, more);
  return {
    number,
    nonce: `leaver-${number}`,
    point,
    backend,
    era,
    isStreamed: forms % 2 === 1,
    resets: Math.floor(forms / 2) % 2 === 1,
  };
}

/** One of them, and what is left of the number. */
function chosen<T>(all: readonly T[], number: number): readonly [T, number] {
  return [all[number % all.length] as T, Math.floor(number / all.length)];
}

/**
 * - `unsent`: no backend may get it.
 * - `answered`: it goes on. A lost connection cancels nothing in the legacy era, and a JSON answer that has begun
 *   is there.
 * - `cancelled`: its backend has to be told, unless it never got it.
 */
type Fate = "unsent" | "answered" | "cancelled";

const UNSENT: readonly Point[] = ["connecting", "head part", "head", "body part"];
const ANSWERED: readonly Point[] = ["answer head", "answer"];

export function fateOf({ point, era, isStreamed }: Leaver): Fate {
  if (UNSENT.includes(point)) return "unsent";
  if (era === "legacy") return point === "cancelled" ? "cancelled" : "answered";
  return ANSWERED.includes(point) && !isStreamed ? "answered" : "cancelled";
}

/** More than the buffers of a connection hold, so that some of the answer is still to be sent. */
const LARGE = 1_000_000;
const WORK_MS = 150;
/** Time to come back to a stream before its answer, also on a machine that is busy. */
const STREAM_MS = 1000;

/** What the backend is asked to do, so that there is time to leave. */
export function askedOf(leaver: Leaver): Asked {
  const { nonce, isStreamed, point } = leaver;
  const told = { nonce, who: nonce, tells: isStreamed };
  if (fateOf(leaver) !== "answered") return { ...told, hold: true };
  const isLarge = ANSWERED.includes(point) && !isStreamed;
  if (isLarge) return { ...told, size: LARGE };
  return { ...told, ms: point === "answer" ? STREAM_MS : WORK_MS };
}

/** What is known of a leaver's call when all is over. */
export interface Seen {
  readonly leaver: Leaver;
  /** When it left, or cancelled, of `performance.now`. */
  readonly leftAt: number;
  /** Undefined: no backend got it. */
  readonly noted: Noted | undefined;
  /** What the audit has of it. */
  readonly outcome: string | undefined;
}

/** What is wrong with it. */
export function wrongOf(seen: Seen): string | undefined {
  const { leaver, noted, outcome } = seen;
  switch (fateOf(leaver)) {
    case "unsent":
      if (noted !== undefined) return "reached its backend although it was never sent whole";
      return outcome === undefined ? undefined : `is recorded as ${outcome}`;
    case "answered":
      if (noted === undefined) return unreached(leaver);
      if (noted.cancelledAt !== undefined) return "its backend was told to cancel";
      return recordedAs("ok", outcome);
    case "cancelled":
      return noted === undefined ? unreached(leaver) : wrongOfCancelled(seen, noted);
  }
}

/** A connection that ends right after the body may be seen to end first. */
function unreached({ point }: Leaver): string | undefined {
  return point === "body" ? undefined : "did not reach its backend";
}

function wrongOfCancelled({ leftAt, outcome }: Seen, noted: Noted): string | undefined {
  const { cancelledAt, answeredAt = Infinity } = noted;
  if (cancelledAt === undefined) {
    // A JSON answer that took so long that it became a stream was there before its client left.
    return answeredAt < leftAt ? undefined : "its backend was never told";
  }
  if (cancelledAt < leftAt) return "it was cancelled before it left";
  return recordedAs("cancelled", outcome);
}

function recordedAs(wanted: string, outcome: string | undefined): string | undefined {
  return outcome === wanted ? undefined : `is recorded as ${outcome}, not as ${wanted}`;
}
