/** One entry of a client file, in our terms but without a final name. */
import type { EntrySource, ImportNote } from "./found.ts";
import type { Text } from "./text.ts";

export type Named = readonly (readonly [string, Text])[];

export interface Draft {
  readonly source: EntrySource;
  /** Wanted name, `[a-z0-9-]`. */
  readonly name: string;
  /** Exactly one of `url` and `command`. */
  readonly url: Text | undefined;
  readonly command: Text | undefined;
  readonly args: readonly Text[];
  readonly env: Named;
  readonly headers: Named;
  readonly cwd: Text | undefined;
  readonly inheritEnv: readonly string[];
  readonly transport: "http_sse" | undefined;
  readonly isEnabled: boolean;
  /** Duration as in the configuration. */
  readonly timeout: string | undefined;
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[] | undefined;
  readonly notes: readonly ImportNote[];
}

/** Two drafts with the same identity are the same server: how it is reached, and with what. */
export function identityOf(draft: Draft): string {
  const { url, command, args, env, headers, cwd, inheritEnv, transport } = draft;
  return JSON.stringify([
    url,
    command,
    args,
    sorted(env),
    sorted(headers),
    cwd,
    inheritEnv,
    transport,
  ]);
}

/** Every text of a draft. */
export function textsOf({ url, command, args, env, headers, cwd }: Draft): readonly Text[] {
  return [url ?? [], command ?? [], ...args, ...values(env), ...values(headers), cwd ?? []];
}

function values(named: Named): readonly Text[] {
  return named.map(([, text]) => text);
}

function sorted(named: Named): Named {
  return named.toSorted(([a], [b]) => a < b ? -1 : 1);
}
