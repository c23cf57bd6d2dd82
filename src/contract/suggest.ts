/** "Did you mean": one implementation for configuration, command line and filters. */

const FARTHEST = 2;

/** The candidate nearest to a mistyped word, at most two edits away; undefined when none is near. */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(word);
  let best: string | undefined;
  let nearest = FARTHEST + 1;
  for (const candidate of candidates) {
    const known = plain(candidate);
    const edits = distance(wanted, known);
    if (edits < nearest && edits < Math.min(wanted.length, known.length)) {
      best = candidate;
      nearest = edits;
    }
  }
  return best;
}

/** Edits between two words, a swap of neighbors counting as one (optimal string alignment). */
export function distance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > FARTHEST) return FARTHEST + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      current.push(cheapest(from, to, { row, column, beforeLast, last, current }));
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

interface Cell {
  readonly row: number;
  readonly column: number;
  readonly beforeLast: readonly number[];
  readonly last: readonly number[];
  readonly current: readonly number[];
}

function cheapest(from: string, to: string, cell: Cell): number {
  const { row, column, beforeLast, last, current } = cell;
  const same = from[row - 1] === to[column - 1] ? 0 : 1;
  const cost = Math.min(
    at(last, column) + 1,
    at(current, column - 1) + 1,
    at(last, column - 1) + same,
  );
  const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
  return row > 1 && column > 1 && swapped ? Math.min(cost, at(beforeLast, column - 2) + 1) : cost;
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

/** Spelling of the words apart from case and joints: maxRequestSize, max-request-size. */
function plain(word: string): string {
  return word.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replaceAll("-", "_").toLowerCase();
}
