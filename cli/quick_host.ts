/** Arguments, width and stdout by each runtime's own means: `node:process` is what takes long to load. */

/** The runtimes' own globals, as far as they are used here. */
interface Host {
  readonly Deno?: {
    readonly args: readonly string[];
    readonly stdout: { isTerminal(): boolean; writeSync(bytes: Uint8Array): number };
    consoleSize(): { readonly columns: number };
  };
  readonly Bun?: {
    readonly stdout: object;
    write(to: object, text: string): Promise<number>;
  };
  readonly process: NodeJS.Process;
}

export interface QuickHost {
  readonly argv: readonly string[];
  /** Of the terminal; undefined for files and pipes. */
  columns(): number | undefined;
  /** Resolves when it is written; a reader that has gone is no error. */
  write(text: string): Promise<void>;
}

export function quickHost(host: Host = globalThis as unknown as Host): QuickHost {
  const { Deno, Bun } = host;
  if (Deno !== undefined) return onDeno(Deno);
  const { process } = host;
  const argv = process.argv.slice(2);
  return Bun === undefined
    ? { argv, columns: () => process.stdout.columns, write: (text) => onNode(process, text) }
    : {
      argv,
      columns: () => mayBeTerminal(process) ? process.stdout.columns : undefined,
      write: (text) => Bun.write(Bun.stdout, text).then(() => {}, () => {}),
    };
}

function onDeno(deno: NonNullable<Host["Deno"]>): QuickHost {
  const { args, stdout } = deno;
  return {
    argv: args,
    columns: () => stdout.isTerminal() ? deno.consoleSize().columns : undefined,
    write: (text) => {
      try {
        let rest = new TextEncoder().encode(text);
        while (rest.length > 0) rest = rest.subarray(stdout.writeSync(rest));
      } catch {
        // The reader has gone.
      }
      return Promise.resolve();
    },
  };
}

function onNode({ stdout }: NodeJS.Process, text: string): Promise<void> {
  return new Promise((resolve) => {
    stdout.on("error", () => resolve());
    stdout.write(text, () => resolve());
  });
}

/** Bun's own stream for stdout takes longer to load than all else here. */
function mayBeTerminal(process: NodeJS.Process): boolean {
  return process.getBuiltinModule("node:fs").fstatSync(1).isCharacterDevice();
}
