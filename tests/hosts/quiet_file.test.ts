import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { SentinelError } from "../../src/contract/mod.ts";
import { quietFile } from "../../src/hosts/quiet_file.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A file whose times are those of the fake clock. */
describe("a file that is being written", () => {
  const clock = new FakeClock();
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-quiet-"));
    file = join(folder, "sentinel.toml");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function touch(inMs = 0): Promise<void> {
    const now = (clock.now() + inMs) / 1000;
    await utimes(file, now, now);
  }

  /** Moves on until the look is over; `between` happens before each step. */
  async function waited(between: () => Promise<void> = async () => {}): Promise<unknown> {
    let result: { readonly error?: unknown } | undefined;
    const looking = quietFile(file, clock).then(
      () => void (result = {}),
      (error: unknown) => void (result = { error }),
    );
    while (result === undefined) {
      if (clock.pending > 0) {
        await between();
        await clock.advance(100);
      } else await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await looking;
    return result.error;
  }

  it("is read at once when it was left alone for a moment", async () => {
    await writeFile(file, "version = 1\n");
    await touch();
    await clock.advance(100);
    await quietFile(file, clock);
  });

  it("is waited for while it grows", async () => {
    await writeFile(file, "version = 1\n");
    await touch();
    let steps = 0;
    const error = await waited(async () => {
      if (++steps > 3) return;
      await appendFile(file, "# more\n");
      await touch(100);
    });
    assert.equal(error, undefined);
    assert.ok(steps > 3);
  });

  it("is refused when it stays empty, or never comes to rest", async () => {
    await writeFile(file, "version = 1\n");
    await truncate(file);
    await touch();
    const empty = await waited();
    assert.ok(empty instanceof SentinelError && /it is empty/.test(empty.message));
    const restless = await waited(async () => {
      await appendFile(file, "# more\n");
      await touch(100);
    });
    assert.ok(restless instanceof SentinelError && /still being written/.test(restless.message));
  });

  it("that is not there is no matter of waiting", async () => {
    await quietFile(join(folder, "none.toml"), clock);
  });
});
