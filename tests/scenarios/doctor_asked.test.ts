import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { setUp, shellBackend } from "./doctor_setup.ts";

const TIMEOUT = { timeout: 60_000 };

describe("doctor as it is asked", () => {
  test("--no-start, no process runs", TIMEOUT, async () => {
    await using place = setUp(
      `${
        shellBackend("one", "touch started")
      }cwd = "."\n[backends.two]\ncommand = "not-there-4711"\n`,
    );

    const found = await place.diagnose(["--no-start"]);

    assert.match(found.of("backend", "one")[0]?.text ?? "", /\/sh, not started$/);
    assert.match(found.of("backend", "two")[0]?.text ?? "", /command not found/);
    assert.ok(!existsSync(join(place.folder, "started")));
    assert.equal(found.code, 6);
  });

  test("one backend by name, nothing else is looked at", TIMEOUT, async () => {
    await using place = setUp(shellBackend("one", "exit 1") + shellBackend("two", "exit 1"));

    const found = await place.diagnose(["two"]);
    const unknown = await place.print(["tow"]);

    assert.deepEqual(found.of("backend").map(({ name }) => name), ["two"]);
    assert.deepEqual(found.of("listener"), []);
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, /there is no backend "tow"[^]*did you mean two\?/);
  });

  test("what a child writes, harmless on a terminal and without secrets", TIMEOUT, async () => {
    const script = 'printf "key $KEY \\\\033[31mred\\\\n" >&2; exit 1';
    await using place = setUp(
      `${shellBackend("one", script)}env = { KEY = "\${env:CHILD_KEY}" }\n`,
    );

    const env = { CHILD_KEY: "hush-hush-4711" };
    const { out, err, code } = await place.print([], { env, terminal: true, columns: 100 });

    assert.equal(code, 6);
    assert.match(out, /key «secret»/);
    assert.ok(!`${out}${err}`.includes("hush-hush-4711"));
    assert.ok(!out.includes("\u001b[31mred"));
    assert.match(out, /1 failure, \d+ warnings? +exit 6\n$|1 failure +exit 6\n$/);
    assert.match(err, /looking…/);
    assert.ok(err.endsWith("\r\u001b[K"), "the progress is gone");
  });

  test("many backends, four at a time", TIMEOUT, async () => {
    const silent = "echo + >> log; cat > /dev/null; echo - >> log";
    const names = ["a", "b", "c", "d", "e", "f"];
    await using place = setUp(
      names.map((name) => `${shellBackend(name, silent)}cwd = "."\n`).join(""),
    );

    const found = await place.diagnose(["--timeout", "500ms"]);

    const log = readFileSync(join(place.folder, "log"), "utf8").trim().split("\n");
    let running = 0;
    const most = Math.max(...log.map((line) => line === "+" ? ++running : --running));
    assert.equal(found.of("backend").length, 6);
    assert.equal(most, 4);
  });

  test("Ctrl-C, what was started has ended", TIMEOUT, async () => {
    const interrupt = new AbortController();
    await using place = setUp(
      `${
        shellBackend("one", "echo $$ > pid; exec sleep 60")
      }cwd = "."\nstop = { grace = "100ms" }\n`,
    );
    const file = join(place.folder, "pid");
    const timer = setInterval(() => existsSync(file) && interrupt.abort(), 20);

    const { code, out } = await place.print([], { interrupt: interrupt.signal });
    clearInterval(timer);

    const pid = Number(readFileSync(file, "utf8"));
    assert.equal(code, 130);
    assert.equal(out, "");
    assert.ok(pid > 1);
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });
});
