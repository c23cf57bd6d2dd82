/**
 * 64-bit hash of a text as 16 hexadecimal digits: to notice changes and to shorten names, synchronously.
 * Not cryptographic: nothing may be trusted because of it.
 */
export function hashText(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x2545f491;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul((high << 5 | high >>> 27) ^ unit, 0x9e3779b1);
  }
  low = mix(low ^ text.length);
  high = mix(high ^ low);
  return hex(mix(low ^ high)) + hex(high);
}

/** Spreads each bit over the whole word. */
function mix(word: number): number {
  let mixed = Math.imul(word ^ word >>> 16, 0x85ebca6b);
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
  return mixed ^ mixed >>> 16;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
