/** The variable that a process misses, from what it says on stderr. */

/** Words of a complaint about something that is not there. */
const COMPLAINT =
  /required|missing|not set|not defined|undefined|unset|not provided|not found|not specified|must (?:be )?(?:set|provide)|please (?:set|provide|export)|no value|is empty|KeyError|ENOENT|environment variable|env(?:ironment)? var/i;
/** What variables look like: words of capitals, joined. */
const VARIABLE = /(?<![A-Za-z0-9_])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![A-Za-z0-9_])/g;
/** Codes of errors look the same. */
const CODE =
  /^(?:ERR|UND_ERR|CERT|UV|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO)_|_(?:NOT_FOUND|ERROR|FAILED)$/;

/** Undefined when no line complains about one. The first complaint counts: later ones follow from it. */
export function missingVariable(stderr: readonly string[]): string | undefined {
  for (const line of stderr) {
    if (!COMPLAINT.test(line)) continue;
    const name = [...line.matchAll(VARIABLE)].map(([word]) => word).find((word) =>
      !CODE.test(word)
    );
    if (name !== undefined) return name;
  }
  return undefined;
}
