import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { SentinelError } from "../../../src/contract/errors.ts";
import { FileJournal } from "../../../src/stores/file/journal.ts";
import { entry } from "../journal_entry.ts";
import { inFolder } from "../../support/temporary_folder.ts";

const onPosix = { skip: process.platform === "win32" };
const onLinux = { skip: process.platform !== "linux" };

const line = (number: number, more = 0) => `${JSON.stringify(entry(number, more))}\n`;

const inFile = (work: (path: string) => void) => () =>
  inFolder((folder) => work(join(folder, "journal.ndjson")));

/** Passes for a refusal that names the file and matches the text. */
function says(path: string, text: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SentinelError, String(error));
    assert.equal(error.code, "AUDIT_UNAVAILABLE");
    assert.ok(error.message.includes(`Cannot write the journal "${path}"`), error.message);
    assert.match(error.message, text);
    return true;
  };
}

describe("FileJournal", () => {
  test(
    "each entry is a line, in the file when append returns",
    inFile((path) => {
      const journal = new FileJournal(path);
      for (const number of [1, 2]) {
        journal.append(entry(number));
        assert.ok(readFileSync(path, "utf8").endsWith(line(number)));
      }
      journal.close();
      const next = new FileJournal(path);
      next.append(entry(3));
      next.close();
      assert.equal(readFileSync(path, "utf8"), line(1) + line(2) + line(3));
    }),
  );

  test(
    "an entry cannot break out of its line",
    inFile((path) => {
      const journal = new FileJournal(path);
      const hostile = { ...entry(1), why: 'a\n{"kind":"forged"}\r\n\u2028' };
      journal.append(hostile);
      journal.close();
      const [only = "", ...rest] = readFileSync(path, "utf8").split("\n");
      assert.deepEqual([JSON.parse(only), rest], [hostile, [""]]);
    }),
  );

  test(
    "half a line of a crash is closed off, and nothing is added to it",
    inFile((path) => {
      writeFileSync(path, line(1) + line(2).slice(0, 20));
      const journal = new FileJournal(path);
      journal.append(entry(3));
      journal.append(entry(4));
      journal.close();
      const expected = `${line(1)}${line(2).slice(0, 20)}\n${line(3)}${line(4)}`;
      assert.equal(readFileSync(path, "utf8"), expected);
    }),
  );

  test(
    "it is for its owner only, also when it was not",
    onPosix,
    inFile((path) => {
      const mode = (file: string) => statSync(file).mode & 0o777;
      const journal = new FileJournal(path, { maxBytes: 300 });
      assert.equal(mode(path), 0o600);
      for (const number of [1, 2, 3]) journal.append(entry(number));
      assert.deepEqual([mode(path), mode(`${path}.1`)], [0o600, 0o600]);
      journal.close();
      chmodSync(path, 0o644);
      new FileJournal(path).close();
      assert.equal(mode(path), 0o600);
    }),
  );

  test(
    "no file grows beyond the bound, and only the newest old ones are kept",
    inFile((path) => {
      const size = line(10).length;
      const journal = new FileJournal(path, { maxBytes: 3 * size, keep: 2 });
      for (let number = 10; number < 30; number++) journal.append(entry(number));
      journal.close();
      const files = readdirSync(dirname(path)).sort();
      assert.deepEqual(files, ["journal.ndjson", "journal.ndjson.5", "journal.ndjson.6"]);
      const written = [...files.slice(1), files[0]].map((file) =>
        readFileSync(join(dirname(path), file ?? ""), "utf8")
      );
      assert.deepEqual(written, [
        line(22) + line(23) + line(24),
        line(25) + line(26) + line(27),
        line(28) + line(29),
      ]);
    }),
  );

  test(
    "an entry larger than the bound is written all the same, into a file of its own",
    inFile((path) => {
      const journal = new FileJournal(path, { maxBytes: 100 });
      journal.append(entry(1, 500));
      journal.append(entry(2, 500));
      journal.close();
      assert.equal(readFileSync(`${path}.1`, "utf8"), line(1, 500));
      assert.equal(readFileSync(path, "utf8"), line(2, 500));
    }),
  );

  test(
    "one that another gateway put aside, or somebody removed, is opened anew",
    onPosix,
    inFile((path) => {
      const maxBytes = 2 * line(1).length;
      const one = new FileJournal(path, { maxBytes });
      const two = new FileJournal(path, { maxBytes });
      for (const number of [1, 2, 3]) one.append(entry(number));
      two.append(entry(4));
      assert.equal(readFileSync(`${path}.1`, "utf8"), line(1) + line(2));
      assert.equal(readFileSync(path, "utf8"), line(3) + line(4));
      rmSync(path);
      one.append(entry(5));
      assert.equal(readFileSync(path, "utf8"), line(5));
      one.close();
      two.close();
    }),
  );

  test(
    "a full disk is told, again and again, until there is room",
    onLinux,
    inFile((path) => {
      symlinkSync("/dev/full", path);
      const journal = new FileJournal(path);
      for (let time = 0; time < 2; time++) {
        assert.throws(
          () => journal.append(entry(1)),
          says(path, /no space left on device.*free the disk/i),
        );
      }
      rmSync(path);
      journal.append(entry(2));
      journal.close();
      assert.equal(readFileSync(path, "utf8"), line(2));
    }),
  );

  test(
    "a path that cannot be a journal is refused at the start",
    inFile((path) => {
      mkdirSync(path);
      assert.throws(() => new FileJournal(path), says(path, /directory/i));
      const lost = join(path, "none", "journal.ndjson");
      assert.throws(() => new FileJournal(lost), says(lost, /no such file/i));
    }),
  );

  test(
    "a closed one says so; closing twice is harmless",
    inFile((path) => {
      const journal = new FileJournal(path);
      journal.close();
      journal.close();
      assert.throws(() => journal.append(entry(1)), says(path, /it is closed/));
      assert.equal(readFileSync(path, "utf8"), "");
    }),
  );
});
