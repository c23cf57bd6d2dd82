/** Finds out what a run left: its segments, its last row, and the intents that are still open. */
import { Buffer } from "node:buffer";
import { closeSync, constants, openSync, readdirSync, readSync } from "node:fs";
import { eachLine, lineOf } from "./audit_lines.ts";
import { type Segment, segmentIn, segmentNumber } from "./audit_segment.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Where the line of an intent stands. */
export interface Place {
  readonly segment: Segment;
  readonly offset: number;
  /** Without the newline. */
  readonly length: number;
}

export interface Contents {
  /** By number. */
  readonly segments: Segment[];
  /** Open intents by request. */
  readonly open: Map<string, Place>;
  /** Number of the last row; 0 without one. */
  last: number;
}

export function nothing(): Contents {
  return { segments: [], open: new Map(), last: 0 };
}

/** Only the start of most lines is looked at, because a start of the gateway waits for it. */
export function scanRun(folder: string): Contents {
  const contents = nothing();
  const numbers = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => segmentNumber(name))
    .filter((number) => number !== undefined)
    .sort((one, two) => one - two);
  for (const number of numbers) {
    const segment = segmentIn(folder, number);
    contents.segments.push(segment);
    scanSegment(segment, contents);
  }
  return contents;
}

function scanSegment(segment: Segment, contents: Contents): void {
  const { O_NOFOLLOW, O_RDONLY } = constants;
  const descriptor = openSync(segment.path, O_RDONLY | O_NOFOLLOW);
  try {
    let chunk = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const count = readSync(descriptor, chunk, 0, chunk.length, segment.bytes);
      const start = segment.bytes;
      const done = eachLine(chunk.subarray(0, count), (line, at) => {
        take(line, { segment, offset: start + at, length: line.length }, contents);
      });
      segment.bytes += done;
      if (count < chunk.length) return; // what follows the last newline was never acknowledged
      if (done === 0) chunk = Buffer.alloc(2 * chunk.length);
    }
  } finally {
    closeSync(descriptor);
  }
}

function take(bytes: Buffer, place: Place, contents: Contents): void {
  const { segment } = place;
  const line = lineOf(bytes);
  switch (line.kind) {
    case "row":
      segment.lastRow = Math.max(segment.lastRow, line.sequence);
      contents.last = Math.max(contents.last, line.sequence);
      return closeIntent(contents, line.request);
    case "forget":
      return closeIntent(contents, line.request);
    case "intent":
      return openIntent(contents, line.request, place);
    case "damaged":
      segment.isDamaged = true;
      return;
    case "torn":
  }
}

/** One that is copied forward is open in its new place. */
export function openIntent({ open }: Contents, request: string, place: Place): void {
  const before = open.get(request);
  if (before !== undefined) before.segment.open--;
  open.set(request, place);
  place.segment.open++;
}

export function closeIntent({ open }: Contents, request: string): void {
  const place = open.get(request);
  if (place === undefined) return;
  place.segment.open--;
  open.delete(request);
}
