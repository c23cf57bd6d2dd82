/** Names of servers: what clients allow becomes what the configuration allows. */

const LONGEST = 48;
/** Names of devices on Windows, which the configuration refuses. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/;

/** `[a-z0-9-]`, never empty: `My Server (2)` is `my-server-2`. */
export function plainName(text: string): string {
  const ascii = text.normalize("NFKD").replace(/\p{M}+/gu, "");
  const name = ascii.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, LONGEST).replace(
    /^-+|-+$/g,
    "",
  );
  if (name === "") return "server";
  return DEVICE.test(name) ? `${name}-server` : name;
}

/** The name, with a number when another has it. */
export function freeName(wanted: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(wanted)) return wanted;
  for (let number = 2;; number++) {
    const name = `${wanted}-${number}`;
    if (!isTaken(name)) return name;
  }
}

/** How ContextForge spells names: `My Server` is `my-server`, `get_time` is `get-time`. */
export function slugOf(text: string): string {
  return text.toLowerCase().replace(/(\w)['’](\w)/g, "$1$2").replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "").normalize("NFKD").replace(/[^\x20-\x7e]/g, "");
}
