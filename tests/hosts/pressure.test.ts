import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, describe, it } from "node:test";
import { giveBackFreeMemory } from "../../src/hosts/deno/free_memory.ts";
import { containerLimit, measurePressure } from "../../src/hosts/pressure.ts";
import { until } from "../scenarios/until.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { RUNTIME } from "../support/runtime.ts";

const WAIT_MS = 10_000;
const PIECE_BYTES = 8000;
const PIECES = 20_000;
/** One of so many stays: the allocator cannot give back what lies between two of them by itself. */
const STAYS = 16;

describe("containerLimit()", () => {
  let root: string | undefined;
  afterEach(async () => {
    if (root !== undefined) await rm(root, { recursive: true, force: true });
  });

  async function groups(files: Readonly<Record<string, string>>): Promise<string> {
    const folder = root = await mkdtemp(join(tmpdir(), "groups-"));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(folder, path, ".."), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return folder;
  }

  it("is the smallest of the group and those around it (v2)", async () => {
    const folder = await groups({
      "a/b/memory.max": "max\n",
      "a/memory.max": "1048576\n",
      "memory.max": "4194304\n",
    });
    assert.equal(containerLimit(folder, "0::/a/b\n"), 1_048_576);
  });

  it("is found at the root when the path is the host's", async () => {
    const folder = await groups({ "memory.max": "2097152\n" });
    assert.equal(containerLimit(folder, "0::/system.slice/docker-1.scope\n"), 2_097_152);
  });

  it("is read from the controller of memory (v1), where a huge number is none", async () => {
    const folder = await groups({
      "memory/a/memory.limit_in_bytes": "3145728\n",
      "memory/memory.limit_in_bytes": "9223372036854771712\n",
    });
    const membership = "9:cpu,cpuacct:/a\n5:memory:/a\n";
    assert.equal(containerLimit(folder, membership), 3_145_728);
    assert.equal(containerLimit(folder, "5:memory:/\n"), undefined);
  });

  it("is none where there are no control groups", async () => {
    assert.equal(containerLimit(await groups({}), ""), undefined);
  });
});

describe("measurePressure()", () => {
  it("shows a loop that is held up, and that it is not any more", async () => {
    const pressure = measurePressure();
    try {
      assert.ok(pressure.memoryBytes > 1_000_000);
      await until(() => {
        const end = performance.now() + 400;
        while (performance.now() < end);
        assert.ok(pressure.lagMs > 30);
      }, WAIT_MS);
      const held = pressure.lagMs;
      await until(() => assert.ok(pressure.lagMs < held / 2), WAIT_MS);
    } finally {
      pressure.close();
    }
  });
});

interface Allocator {
  malloc(bytes: bigint): unknown;
  memset(piece: unknown, value: number, bytes: bigint): void;
  free(piece: unknown): void;
}

interface ForeignFunctions {
  dlopen(library: string, functions: object): { readonly symbols: Allocator; close(): void };
}

const ALLOCATOR = {
  malloc: { parameters: ["usize"], result: "pointer" },
  memset: { parameters: ["pointer", "i32", "usize"], result: "void" },
  free: { parameters: ["pointer"], result: "void" },
};

// Deno alone reaches the allocator, and it alone needs to.
if (RUNTIME === "deno" && process.platform === "linux") {
  it("gives memory back that is free", async () => {
    const { Deno } = globalThis as unknown as { Deno: ForeignFunctions };
    const library = Deno.dlopen("libc.so.6", ALLOCATOR);
    const pieces = Array.from(
      { length: PIECES },
      () => library.symbols.malloc(BigInt(PIECE_BYTES)),
    );
    for (const piece of pieces) library.symbols.memset(piece, 1, BigInt(PIECE_BYTES));
    const stay = pieces.filter((_, at) => at % STAYS === 0);
    for (const piece of pieces.filter((_, at) => at % STAYS > 0)) library.symbols.free(piece);
    const kept = process.memoryUsage.rss();
    const clock = new FakeClock();
    const cancel = giveBackFreeMemory(clock);
    await clock.advance(30_000);
    const half = PIECES * PIECE_BYTES / 2;
    await until(() => assert.ok(process.memoryUsage.rss() < kept - half), WAIT_MS);
    cancel();
    for (const piece of stay) library.symbols.free(piece);
    library.close();
  });
}
