/** Standard output that is waited for without holding up the gateway. */
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import process from "node:process";
import type { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";

export interface Output {
  /** Resolves when the system has all of it; rejects when nobody reads any more. */
  write(text: string): Promise<void>;
  close(): void;
}

const STDOUT = 1;
/** What a pipe takes as a whole or not at all (PIPE_BUF of Linux). */
const ATOMIC_BYTES = 4096;
/** How often a full pipe is tried again. */
const RETRY_MS = 10;

/**
 * Writes to a pipe wait on some runtimes until it is read, and everything else with them. So the pipe is opened
 * a second time, without waiting; where that cannot be done, the stream of the runtime has to do.
 */
export function openOutput(): Output {
  const descriptor = openPipe();
  return descriptor === undefined ? streamOutput(process.stdout) : pipeOutput(descriptor);
}

function openPipe(): number | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    if (!fstatSync(STDOUT).isFIFO()) return undefined;
    return openSync(`/proc/self/fd/${STDOUT}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return undefined; // no /proc, or a pipe that another user made
  }
}

function pipeOutput(descriptor: number): Output {
  let isOpen = true;
  return {
    async write(text) {
      const bytes = new TextEncoder().encode(text);
      for (let done = 0; done < bytes.length;) {
        if (!isOpen) throw new Error("it is closed");
        const part = bytes.subarray(done, done + ATOMIC_BYTES);
        if (writes(descriptor, part)) done += part.length;
        else await setTimeout(RETRY_MS);
      }
    },
    close() {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

/** False when the pipe is full. */
function writes(descriptor: number, part: Uint8Array): boolean {
  try {
    writeSync(descriptor, part);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
    throw error;
  }
}

function streamOutput(stream: Writable): Output {
  let broken: Error | undefined;
  // Without a listener the failure of a write would end the process.
  stream.on("error", (error) => broken = error);
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) return reject(broken);
        stream.write(text, (error) => error instanceof Error ? reject(error) : resolve());
      }),
    close: () => {}, // it is not ours alone
  };
}
