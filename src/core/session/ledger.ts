/** What became of a session's state when something of it was made anew: what goes on, and what is lost. */

/** Lines of each kind; the oldest go first. */
const MAX_LINES = 20;
/** Characters of one line: names of backends and URIs stand in it. */
const MAX_LINE = 300;

const NONE: readonly string[] = [];

export class SessionLedger {
  /** Made with the first line: most sessions have none. */
  #restored: string[] | undefined;
  #lost: string[] | undefined;

  /** In words, newest last. */
  get restored(): readonly string[] {
    return this.#restored ?? NONE;
  }

  /** In words, newest last. */
  get lost(): readonly string[] {
    return this.#lost ?? NONE;
  }

  noteRestored(what: string): void {
    add(this.#restored ??= [], what);
  }

  noteLost(what: string): void {
    add(this.#lost ??= [], what);
  }
}

function add(lines: string[], line: string): void {
  lines.push(line.slice(0, MAX_LINE));
  if (lines.length > MAX_LINES) lines.shift();
}
