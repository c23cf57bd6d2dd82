import assert from "node:assert/strict";
import { mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { ConfigWatch } from "../../src/hosts/config_watch.ts";
import { FakeClock } from "../support/fake_clock.ts";

const DEBOUNCE_MS = 300;
/** Turns of real time given to the file system; only a failed test uses all of them. */
const LOOKS = 500;

describe("ConfigWatch", () => {
  let folder: string;
  let file: string;
  let clock: FakeClock;
  let watch: ConfigWatch | undefined;
  let changes = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sentinel-watch-"));
  });
  after(() => rm(folder, { recursive: true }));
  afterEach(() => {
    watch?.stop();
    assert.equal(clock.pending, 0, "a stopped watch keeps no timer");
  });

  /** Watches a file of this content. */
  const begin = async (text: string) => {
    file = join(folder, "sentinel.toml");
    await writeFile(file, text);
    watched(text);
  };

  const watched = (text: string) => {
    clock = new FakeClock();
    changes = 0;
    const changed = () => void changes++;
    watch = new ConfigWatch({ file, text, debounceMs: () => DEBOUNCE_MS, clock, changed });
  };

  const pause = () => new Promise((resolve) => setTimeout(resolve, 10));

  /** Until the system has told of a change, without moving our clock. */
  const noticed = async () => {
    for (let left = LOOKS; clock.pending < 2; left--) {
      assert.ok(left > 0, "the system told of no change");
      await pause();
    }
  };

  /** Until the file was compared after the quiet time. */
  const settled = async (expected: number) => {
    for (let left = LOOKS; changes < expected; left--) {
      assert.ok(left > 0, `${changes} changes were told`);
      await clock.advance(DEBOUNCE_MS);
      await pause();
    }
    assert.equal(changes, expected);
  };

  /** Gives everything that could still be told the time to be told. */
  const quiet = async () => {
    for (let turn = 0; turn < 10; turn++) {
      await pause();
      await clock.advance(1000);
    }
  };

  it("tells of other content once, after the quiet time", async () => {
    await begin("a = 1\n");
    await writeFile(file, "a = 2\n");
    await noticed();
    assert.equal(changes, 0);
    await settled(1);
    await quiet();
    assert.equal(changes, 1);
  });

  it("tells nothing of the same content", async () => {
    await begin("a = 1\n");
    await writeFile(file, "a = 1\n");
    await writeFile(join(folder, "other.toml"), "b = 1\n");
    await noticed();
    await quiet();
    assert.equal(changes, 0);
  });

  it("goes on after the file was replaced, again and again", async () => {
    await begin("a = 1\n");
    for (const round of [1, 2, 3]) {
      await writeFile(`${file}.new`, `a = ${round + 1}\n`);
      await rename(`${file}.new`, file);
      await settled(round);
    }
  });

  it("tells of what was written between reading and watching", async () => {
    file = join(folder, "sentinel.toml");
    await writeFile(file, "a = 2\n");
    watched("a = 1\n");
    await clock.advance(5000);
    await settled(1);
  });

  it("a file that is gone says nothing until it is back with other content", async () => {
    await begin("a = 1\n");
    await unlink(file);
    await quiet();
    assert.equal(changes, 0);
    await writeFile(file, "a = 2\n");
    await settled(1);
  });

  it("follows links that are swapped above the folder, as Kubernetes does", async () => {
    const [first, second] = [join(folder, "v1"), join(folder, "v2")];
    for (const [target, text] of [[first, "a = 1\n"], [second, "a = 2\n"]] as const) {
      await writeFile(target, text);
    }
    const data = join(folder, "..data");
    await symlink(first, data);
    file = join(folder, "linked.toml");
    await symlink(data, file);
    watched("a = 1\n");
    await symlink(second, `${data}.new`);
    await rename(`${data}.new`, data);
    await settled(1);
  });

  it("changes without end are looked at after five seconds nevertheless", async () => {
    await begin("a = 0\n");
    for (let count = 1; changes === 0; count++) {
      assert.ok(count < LOOKS, "never looked at");
      await writeFile(file, `a = ${count}\n`);
      await noticed();
      await clock.advance(DEBOUNCE_MS - 10);
      await pause();
    }
  });

  it("a folder that cannot be watched is looked at", async () => {
    await rm(join(folder, "later"), { recursive: true, force: true });
    file = join(folder, "later", "sentinel.toml");
    watched("a = 1\n");
    await clock.advance(10_000);
    assert.equal(changes, 0);
  });
});
