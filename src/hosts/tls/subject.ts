/** Parts of a certificate's subject as the runtimes give them: in the order of the certificate. */
export type SubjectParts = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * A subject as one text in the manner of RFC 4514: `CN=anna,O=Example`, the most specific part first, special
 * characters escaped; undefined when it is empty.
 */
export function subjectText(parts: SubjectParts): string | undefined {
  const pairs = Object.entries(parts).flatMap(([type, value]) =>
    [value ?? []].flat().map((one) => `${type}=${escaped(one)}`)
  );
  return pairs.length === 0 ? undefined : pairs.reverse().join(",");
}

function escaped(value: string): string {
  return value.replace(/[\\",+<>;=]|^[ #]| $/g, (char) => `\\${char}`)
    // deno-lint-ignore no-control-regex -- escaping control characters is the point
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, (char) => `\\${hex(char)}`);
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(2, "0");
}
