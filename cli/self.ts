/** How this program was started, for those that start it again: clients, services. */
import process from "node:process";
import { permissionFlags, PERMISSIONS } from "./permissions.ts";

/** A program and the arguments before its own, as `spawn` takes them. */
export interface Program {
  /** Absolute path. */
  readonly command: string;
  readonly args: readonly string[];
}

/** The parts of the runtimes' own globals that are asked; which of them there are tells the runtime. */
interface Runtimes {
  readonly Bun?: { readonly isStandaloneExecutable?: boolean };
  readonly Deno?: {
    readonly build: { readonly standalone?: boolean };
    readonly permissions: { querySync(permission: object): { readonly state: string } };
  };
}

/**
 * The command that starts this program again, wherever it is started from: an executable by itself, a script
 * with its runtime. On Deno with the permissions it has now, as far as they are those of the table; a list of
 * addresses or paths cannot be read back, so what was allowed for some of them only is left out.
 */
export function programOf(runtimes: Runtimes = globalThis as Runtimes): Program {
  const command = process.execPath;
  const { Bun, Deno } = runtimes;
  if (Bun?.isStandaloneExecutable === true || Deno?.build.standalone === true) {
    return { command, args: [] };
  }
  const script = process.argv[1] ?? "";
  return Deno === undefined
    ? { command, args: [script] }
    : { command, args: ["run", ...grantedFlags(Deno.permissions), script] };
}

function grantedFlags(permissions: NonNullable<Runtimes["Deno"]>["permissions"]): string[] {
  const isGranted = (name: string) => permissions.querySync({ name }).state === "granted";
  const everything = [...PERMISSIONS.map(({ kind }) => kind), "ffi", "import"];
  return everything.every(isGranted)
    ? ["--allow-all"]
    : permissionFlags(PERMISSIONS.filter(({ kind }) => isGranted(kind)));
}
