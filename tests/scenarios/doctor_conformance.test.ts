import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startFixtureServer } from "../conformance/fixture_server.ts";
import { REPOSITORY } from "../support/runtime.ts";
import { setUp } from "./doctor_setup.ts";

const TIMEOUT = { timeout: 180_000 };

describe("doctor --conformance", () => {
  test(
    "server of fixtures, the same passes through the gateway, latency beside it",
    TIMEOUT,
    async () => {
      const fixture = await startFixtureServer();
      try {
        await using place = setUp(`[backends.fixture]\nurl = "${fixture.url}"\n`);
        const file = join(place.folder, "sentinel.toml");
        // The suite is installed there.
        const cwd = join(REPOSITORY, "tests/servers");

        const found = await place.diagnose(["--conformance", "-c", file], { cwd });

        const [suite, latency] = found.of("conformance", "fixture");
        assert.match(
          suite?.text ?? "",
          /^through the gateway \d\d passed, 0 failed, directly \d\d passed, 0 failed$/,
        );
        assert.match(
          latency?.text ?? "",
          /^resources\/read: p50 [\d.]+ ms through, [\d.]+ ms directly \([\d.]+×\); p95 /,
        );
        assert.deepEqual(found.items.filter(({ level }) => level === "fail"), []);
        assert.equal(found.code, 0);
      } finally {
        await fixture.close();
      }
    },
  );

  test("no HTTP backend, wrong usage", TIMEOUT, async () => {
    await using place = setUp('[backends.one]\ncommand = "cat"\n');

    const { code, err } = await place.print(["--conformance"]);

    assert.equal(code, 2);
    assert.match(err, /needs the name of one HTTP backend/);
  });
});
