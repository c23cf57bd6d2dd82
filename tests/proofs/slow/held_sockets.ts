/** Which connections a listener of this machine holds: a client that does not read is not told. Linux, IPv4. */
import { text } from "../../../bench/usage.ts";

const ESTABLISHED = "01";

/** Ports of the clients whose connection to a listener on `port` its process has not closed. */
export function heldBy(port: number): Set<number> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const held = new Set<number>();
  for (const line of text("/proc/net/tcp").split("\n")) {
    const { own, other, state } = rowOf(line);
    if (own === hex && state === ESTABLISHED) held.add(Number.parseInt(other, 16));
  }
  return held;
}

/** `  12: 0100007F:1F90 0100007F:8235 01 …`: number, own address, the other one, state. */
function rowOf(line: string) {
  const at = line.indexOf(": ") + 2;
  return {
    own: line.slice(at + 9, at + 13),
    other: line.slice(at + 23, at + 27),
    state: line.slice(at + 28, at + 30),
  };
}
