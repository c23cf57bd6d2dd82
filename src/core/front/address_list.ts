/** Addresses of the internet protocol, and lists of networks to look them up in. */

/** An address in one spelling, so that equal ones are equal texts. */
export interface Address {
  /** Version 6 in its shortest form; version 4 also where it came as `::ffff:192.0.2.7`. */
  readonly text: string;
  readonly isV4: boolean;
  /** The 128 bits as four unsigned numbers; version 4 is in the last one. */
  readonly words: readonly [number, number, number, number];
}

export interface AddressList {
  readonly isEmpty: boolean;
  has(address: Address): boolean;
}

interface Network {
  readonly isV4: boolean;
  readonly words: readonly number[];
  readonly masks: readonly number[];
}

/** Longest spelling of an address; a zone (`%eth0`) is none of it. */
const MAX_LENGTH = 45;
const V4_BITS = 32;
const MAPPED_BITS = 96;
const MAPPED = 0xffff;

/** `192.0.2.7`, `2001:db8::7` or `::ffff:192.0.2.7`; undefined for everything else. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  if (!text.includes(":")) {
    const word = parseV4(text);
    return word === undefined ? undefined : { text, isV4: true, words: [0, 0, MAPPED, word] };
  }
  return parseV6(text);
}

/**
 * Compiles networks of the configuration (`10.0.0.0/8`, `fd00::/8`). A network of one version holds no
 * address of the other.
 */
export function createAddressList(networks: readonly string[]): AddressList {
  const compiled = networks.map(compile);
  return {
    isEmpty: compiled.length === 0,
    has: (address) => compiled.some((network) => isIn(address, network)),
  };
}

function compile(text: string): Network {
  const slash = text.lastIndexOf("/");
  const address = parseAddress(text.slice(0, slash));
  // The schema of the configuration lets nothing else through.
  if (address === undefined) throw new Error(`Not a network: ${text}`);
  const written = Number(text.slice(slash + 1));
  const isDotted = !text.includes(":");
  // `::ffff:0:0/90` is wider than version 4 and therefore a network of version 6.
  const isV4 = isDotted || (address.isV4 && written >= MAPPED_BITS);
  const bits = isDotted ? written + MAPPED_BITS : written;
  const masks = [0, 1, 2, 3].map((at) => maskOf(bits - at * V4_BITS));
  return { isV4, masks, words: address.words.map((word, at) => (word & (masks[at] ?? 0)) >>> 0) };
}

function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= V4_BITS ? 0xffffffff : (0xffffffff << (V4_BITS - bits)) >>> 0;
}

function isIn({ isV4, words }: Address, network: Network): boolean {
  if (isV4 !== network.isV4) return false;
  for (let at = 0; at < 4; at++) {
    const masked = ((words[at] as number) & (network.masks[at] as number)) >>> 0;
    if (masked !== network.words[at]) return false;
  }
  return true;
}

/** Four decimal numbers without leading zeros: elsewhere `010` is eight. */
function parseV4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let word = 0;
  for (const part of parts) {
    const number = Number(part);
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || number > 255) return undefined;
    word = word * 256 + number;
  }
  return word;
}

/** The URL parser knows all spellings, and writes each address in one. */
function parseV6(text: string): Address | undefined {
  if (!/^[0-9a-f:.]+$/i.test(text)) return undefined;
  const url = `http://[${text}]`;
  if (!URL.canParse(url)) return undefined;
  const shortest = new URL(url).hostname.slice(1, -1);
  const [a, b, c, d, e, f, g, h] = groupsOf(shortest);
  const words = [join(a, b), join(c, d), join(e, f), join(g, h)] as const;
  if (words[0] !== 0 || words[1] !== 0 || words[2] !== MAPPED) {
    return { text: shortest, isV4: false, words };
  }
  return { text: dotted(words[3]), isV4: true, words };
}

/** The eight groups of a spelling without a dotted end. */
function groupsOf(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const numbers = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const first = numbers(head);
  if (tail === undefined) return first;
  const last = numbers(tail);
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function join(high = 0, low = 0): number {
  return high * 65_536 + low;
}

function dotted(word: number): string {
  return [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255].join(".");
}
