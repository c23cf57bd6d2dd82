import { type Era, SentinelError } from "../../contract/mod.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { Entry } from "./entry.ts";
import { hashText } from "./hash.ts";
import { KINDS } from "./kinds.ts";
import type { ItemKind, Target } from "./types.ts";

/** For whom a page is written, and what stands around its items. */
export interface PageForm {
  readonly era: Era;
  /** Tells forms of one list apart. */
  readonly slot: number;
  /** JSON text of the members before the items, each with a comma behind it. */
  readonly head: string;
  /** JSON text of the members behind them, each with a comma before it. */
  readonly tail: string;
}

const LEGACY_PAGE: PageForm = { era: "legacy", slot: 0, head: "", tail: "" };

const PAGE_ITEMS = 1000;
/** A page is also full at this many characters, unless one item alone is longer. */
const PAGE_LENGTH = 4_000_000;

/** One list of a view: found by exposed name or URI, served in pages that are serialised once. */
export class ItemList {
  /** Changes exactly when the list changes. */
  readonly fingerprint: string;
  readonly entries: readonly Entry[];
  readonly #kind: ItemKind;
  readonly #revision: number;
  readonly #positions: ReadonlyMap<string, number>;
  /** Texts by slot and first item, for the pages a client gets that pages from the beginning. */
  readonly #pages: (Map<number, string> | undefined)[] = [new Map()];
  readonly #starts: ReadonlySet<number>;

  constructor(kind: ItemKind, entries: readonly Entry[], revision: number) {
    this.#kind = kind;
    this.entries = entries;
    this.#revision = revision;
    this.#positions = new Map(entries.map(({ target }, at) => [target.exposed, at]));
    this.#starts = this.#pageStarts();
    this.fingerprint = hashText(entries.map(({ hash }) => hash).join());
  }

  /** The list without the items that `shows` is false for. */
  only(shows: (target: Target) => boolean): ItemList {
    const shown = this.entries.filter(({ target }) => shows(target));
    if (shown.length === this.entries.length) return this;
    return new ItemList(this.#kind, shown, this.#revision);
  }

  get(key: string): Entry | undefined {
    const at = this.#positions.get(key);
    return at === undefined ? undefined : this.entries[at];
  }

  /**
   * JSON text of the list result; forms are few and made once. A cursor stands for the last item before the page, so it survives a
   * changed list as long as that item is in it.
   * @throws SentinelError INVALID_PARAMS
   */
  page(cursor: string | undefined, form = LEGACY_PAGE): string {
    const start = cursor === undefined ? 0 : this.#startAfter(cursor);
    const pages = this.#pages[form.slot] ??= new Map<number, string>();
    const known = pages.get(start);
    if (known !== undefined) return known;
    const text = this.#pageFrom(start, form);
    if (this.#starts.has(start)) pages.set(start, text);
    return text;
  }

  #startAfter(cursor: string): number {
    const position = decodeCursor(cursor);
    const at = position?.kind === this.#kind ? this.#positions.get(position.key) : undefined;
    if (at !== undefined) return at + 1;
    throw new SentinelError(
      "INVALID_PARAMS",
      `Cannot continue "${KINDS[this.#kind].method}": the cursor is unknown; list again without it`,
    );
  }

  #pageFrom(start: number, { era, head, tail }: PageForm): string {
    const end = this.#endOf(start);
    const items = this.entries.slice(start, end)
      .map(({ text, modern }) => era === "legacy" ? text : modern).join();
    const last = this.entries[end - 1];
    const next = last === undefined || end === this.entries.length
      ? ""
      : `,"nextCursor":"${this.#cursorAfter(last)}"`;
    return `{${head}"${KINDS[this.#kind].member}":[${items}]${next}${tail}}`;
  }

  #cursorAfter({ target }: Entry): string {
    return encodeCursor({ kind: this.#kind, key: target.exposed, revision: this.#revision });
  }

  #endOf(start: number): number {
    let end = start;
    let length = 0;
    while (end < this.entries.length && end - start < PAGE_ITEMS) {
      length += this.entries[end]?.text.length ?? 0;
      if (length > PAGE_LENGTH && end > start) break;
      end++;
    }
    return end;
  }

  #pageStarts(): ReadonlySet<number> {
    const starts = new Set([0]);
    for (let at = this.#endOf(0); at < this.entries.length; at = this.#endOf(at)) starts.add(at);
    return starts;
  }
}
