/** Names for servers that have none. */

/** Parts of a path that name no server. */
const GENERIC = new Set(["", ".", "bin", "build", "cli", "dist", "index", "lib", "main", "src"]);

/** A name from a command line: `npx -y @scope/context7-mcp@2.1.0` is `context7-mcp`. */
export function nameOf(words: readonly string[]): string {
  const [program = "", ...rest] = words;
  const operands = rest.filter((text) => !text.startsWith("-"));
  // The image comes last: docker run --rm -i mcp/fetch
  const word = /^(docker|podman)$/.test(program) ? operands.at(-1) : operands[0];
  const names = (word ?? program).split(/[\\/]/).map(plainName);
  return names.findLast((name) => !GENERIC.has(name)) ?? "server";
}

/** Without version and file ending, in the characters names are made of. */
function plainName(text: string): string {
  return text.replace(/(?<=.)[@:].*$/, "").replace(/\.(exe|[cm]?[jt]s|py|rb|sh)$/i, "")
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-").replace(/^[-_]+|[-_]+$/g, "").slice(0, 64);
}
