/** Memory that glibc has free but keeps: Deno takes 40 kB of it for each stream it serves. */
import type { Cancel, Clock } from "../../ports/clock.ts";

/** The C library of Linux; where there is another one, what is freed is left to it. */
const LIBRARY = "libc.so.6";
const EVERY_MS = 30_000;

interface ForeignFunctions {
  readonly build: { readonly os: string };
  readonly permissions: {
    querySync(wanted: { readonly name: "ffi"; readonly path: string }): { readonly state: string };
  };
  dlopen(
    library: string,
    functions: { readonly malloc_trim: typeof MALLOC_TRIM },
  ): { readonly symbols: { malloc_trim(keptBytes: bigint): Promise<number> }; close(): void };
}

const MALLOC_TRIM = { parameters: ["usize"], result: "i32", nonblocking: true } as const;

/**
 * Gives it back to the system twice a minute, on a thread of its own, until cancelled. Does nothing where there is
 * no such library, and where Deno was started without `--allow-ffi`.
 */
export function giveBackFreeMemory(clock: Pick<Clock, "every">): Cancel {
  const library = opened();
  if (library === undefined) return () => {};
  let last: Promise<unknown> = Promise.resolve();
  const cancel = clock.every(EVERY_MS, () => {
    last = library.symbols.malloc_trim(0n);
  });
  return () => {
    cancel();
    // The library must stay while a thread is in it.
    void last.then(() => library.close());
  };
}

function opened() {
  const { Deno } = globalThis as unknown as { Deno: ForeignFunctions };
  const { state } = Deno.permissions.querySync({ name: "ffi", path: LIBRARY });
  if (Deno.build.os !== "linux" || state !== "granted") return undefined;
  try {
    return Deno.dlopen(LIBRARY, { malloc_trim: MALLOC_TRIM });
  } catch {
    return undefined; // a Linux with another C library, which keeps less
  }
}
