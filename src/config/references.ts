/** `${env:NAME}`, `${env:NAME:-fallback}` and `${file:PATH}` in text values; `$${` is a literal `${`. */
import type { Finding, Path } from "./issue.ts";
import { mapTexts, type Table, textsBelow } from "./raw.ts";

/** A file named by `${file:PATH}`. */
export interface ReadFile {
  readonly text: string;
  /** Permission bits, where the system has them. */
  readonly mode?: number;
}

export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Reads a file named by a reference; a relative path counts from the folder of the configuration.
   * Rejects with an Error that says why in words.
   */
  readonly readFile: (path: string) => Promise<ReadFile>;
}

/** One reference of a text. */
export interface Reference {
  readonly kind: "env" | "file";
  /** Variable or path. */
  readonly name: string;
  readonly fallback: string | undefined;
}

/** What one reference stands for. */
export interface ResolvedReference extends Reference {
  readonly path: Path;
  readonly value: string;
}

export interface Resolved {
  /** The file with every reference replaced; where that failed, the text stays as written. */
  readonly tree: Table;
  readonly references: readonly ResolvedReference[];
  readonly findings: readonly Finding[];
  /** Files others may read. */
  readonly warnings: readonly string[];
}

/** `$${`, a reference, or `${` followed by something else. */
const TOKEN = /\$\$\{|\$\{([^}]*)\}|\$\{/g;
const REFERENCE = /^(?:env:(?<variable>[A-Za-z_]\w*)(?::-(?<fallback>[^]*))?|file:(?<path>[^]+))$/;
const OTHERS_MAY_READ = 0o027;

/** The references in a text, well-formed ones only. */
export function referencesIn(text: string): Reference[] {
  return [...text.matchAll(TOKEN)].flatMap(([, inner]) => {
    const reference = inner === undefined ? undefined : referenceOf(inner);
    return reference === undefined ? [] : [reference];
  });
}

/** Resolves every reference once: what comes in is never looked at again, so it cannot bring more. */
export async function resolveReferences(tree: Table, sources: ReferenceSources): Promise<Resolved> {
  const files = await readFiles(tree, sources);
  const lookup = (reference: Reference) => resolve(reference, sources.env, files);
  const findings: Finding[] = [];
  const references: ResolvedReference[] = [];
  const replace = (text: string, path: Path): string => {
    const problems = problemsIn(text, path, lookup);
    findings.push(...problems);
    if (problems.length > 0) return text;
    return text.replace(TOKEN, (whole, inner: string | undefined) => {
      const reference = inner === undefined ? undefined : referenceOf(inner);
      if (reference === undefined) return whole.slice(1);
      const { value } = lookup(reference);
      references.push({ ...reference, path, value });
      return value;
    });
  };
  const resolved = mapTexts(tree, replace) as Table;
  return { tree: resolved, references, findings, warnings: warningsOf(files) };
}

type FileResult = ReadFile | { readonly failure: string };

interface Lookup {
  readonly value: string;
  /** Why there is no value. */
  readonly failure?: string;
}

function resolve(
  reference: Reference,
  env: ReferenceSources["env"],
  files: ReadonlyMap<string, FileResult>,
): Lookup {
  const { kind, name, fallback } = reference;
  if (kind === "env") {
    const value = env[name] || fallback;
    if (value !== undefined && (value !== "" || fallback !== undefined)) return { value };
    return { value: "", failure: `${name} is ${env[name] === "" ? "set but empty" : "not set"}` };
  }
  const file = files.get(name);
  if (file === undefined || "failure" in file) {
    return { value: "", failure: `${name}: ${file?.failure ?? "not read"}` };
  }
  const value = file.text.replace(/\r?\n$/, "");
  return value === "" ? { value, failure: `${name} is empty` } : { value };
}

function problemsIn(text: string, path: Path, lookup: (reference: Reference) => Lookup): Finding[] {
  return [...text.matchAll(TOKEN)].flatMap(([whole, inner]): Finding[] => {
    if (whole === "$${") return [];
    const reference = inner === undefined ? undefined : referenceOf(inner);
    const place = { path, at: "value", part: whole } as const;
    if (reference === undefined) return [{ ...place, ...malformed(inner) }];
    const { failure } = lookup(reference);
    if (failure === undefined) return [];
    const hint = reference.kind === "env" ? "set the variable" : "write the file";
    return [{ ...place, code: "unresolved", message: failure, hint }];
  });
}

function malformed(inner: string | undefined): Pick<Finding, "code" | "message" | "hint"> {
  const code = "bad_reference";
  if (inner === undefined) {
    return { code, message: "this reference has no end", hint: 'close it with "}", or write $${' };
  }
  const name = /^[A-Za-z_]\w*$/.test(inner) ? inner : "NAME";
  return {
    code,
    message: "this is no reference",
    hint: `write \${env:${name}} or \${file:PATH}; $\${ stands for a literal \${`,
  };
}

function referenceOf(inner: string): Reference | undefined {
  const { variable, fallback, path } = REFERENCE.exec(inner)?.groups ?? {};
  if (variable !== undefined) return { kind: "env", name: variable, fallback };
  if (path !== undefined) return { kind: "file", name: path, fallback: undefined };
  return undefined;
}

async function readFiles(tree: Table, sources: ReferenceSources): Promise<Map<string, FileResult>> {
  const names = [...textsBelow(tree)].flatMap(([, text]) => referencesIn(text))
    .filter((reference) => reference.kind === "file").map((reference) => reference.name);
  const results = [...new Set(names)].map(async (name): Promise<[string, FileResult]> => {
    try {
      return [name, await sources.readFile(name)];
    } catch (thrown) {
      return [name, { failure: thrown instanceof Error ? thrown.message : String(thrown) }];
    }
  });
  return new Map(await Promise.all(results));
}

function warningsOf(files: ReadonlyMap<string, FileResult>): string[] {
  return [...files].flatMap(([name, file]) => {
    if ("failure" in file || file.mode === undefined) return [];
    if ((file.mode & OTHERS_MAY_READ) === 0) return [];
    const mode = (file.mode & 0o777).toString(8).padStart(4, "0");
    return [`others may read the secret in ${name} (mode ${mode}): use 0640 or less`];
  });
}
