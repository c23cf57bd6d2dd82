/**
 * What a gateway on Deno may do: the one table behind the executable, the tests of both bundles and the command
 * lines that are written into the files of clients. Imported by tools of the repository, so it needs nothing.
 */

export interface Permission {
  readonly kind: "env" | "net" | "read" | "run" | "sys" | "write";
  readonly why: string;
}

/** The least a gateway needs whose configuration is not known yet: some kinds, everything of each. */
export const PERMISSIONS: readonly Permission[] = [
  {
    kind: "env",
    why: "`${env:NAME}` in the configuration and the variables passed to children have any name",
  },
  {
    kind: "net",
    why: "listeners, backends, databases and collectors are wherever the configuration says",
  },
  {
    kind: "read",
    why: "configuration, certificates, secrets and the programs of children are anywhere",
  },
  {
    kind: "run",
    why: "the configuration names the programs of children, which end as a process group",
  },
  {
    kind: "sys",
    why: "the user and its home, the memory there is, and the mode of files that children make, " +
      "which Deno allows with all of this kind only",
  },
  {
    kind: "write",
    why: "journal, audit, state and the files of clients are anywhere",
  },
];

/**
 * As flags of `deno run` and `deno compile`. What is not allowed is refused, never asked for; code of remote
 * modules would be allowed unless it is denied.
 */
export function permissionFlags(permissions: readonly Permission[] = PERMISSIONS): string[] {
  return ["--no-prompt", "--deny-import", ...permissions.map(({ kind }) => `--allow-${kind}`)];
}
