import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CircuitState } from "../../../src/contract/status.ts";
import { Breaker } from "../../../src/core/backends/breaker.ts";
import { proves } from "../../support/proves.ts";

const SETTINGS = { failures: 5, failure_ratio: 0.5, open_for: 30_000, healthy_after: 2 };

function create(settings: Partial<typeof SETTINGS> = {}, fraction = () => 0) {
  const came: (readonly [CircuitState, number | undefined])[] = [];
  const breaker = new Breaker({
    settings: () => ({ ...SETTINGS, ...settings }),
    fraction,
    changed: (state, openMs) => void came.push([state, openMs]),
  });
  const fail = (times: number, now = 0) => {
    for (let time = 0; time < times; time++) breaker.failed(now);
  };
  /** Opens it, or opens it again with a probe that fails; gives until when. */
  const openAt = (now: number) => {
    if (breaker.state === "closed") fail(SETTINGS.failures, now);
    else {
      assert.equal(breaker.enter(now), "probe");
      breaker.probed(now, false);
    }
    return breaker.until;
  };
  return { breaker, came, fail, openAt };
}

describe("a circuit", () => {
  proves(
    "G7.4",
    "opens after so many failures in a row, and a success begins the count anew",
    () => {
      const { breaker, fail } = create();
      fail(4);
      breaker.succeeded(0);
      fail(4);
      assert.equal(breaker.enter(0), "pass");
      fail(1);
      assert.equal(breaker.state, "open");
      assert.equal(breaker.enter(0), "refused");
      assert.equal(breaker.retryAfter(0), 1000);
    },
  );

  it("opens when half of at least twenty calls within 30 seconds fail", () => {
    const { breaker } = create();
    for (let pair = 0; pair < 9; pair++) {
      breaker.succeeded(0);
      breaker.failed(0);
    }
    breaker.succeeded(1000);
    assert.equal(breaker.state, "closed");
    breaker.failed(1000);
    assert.equal(breaker.state, "open");
  });

  it("forgets failures after 30 seconds", () => {
    const { breaker } = create();
    for (let pair = 0; pair < 9; pair++) {
      breaker.succeeded(0);
      breaker.failed(0);
    }
    breaker.succeeded(31_000);
    breaker.failed(31_000);
    assert.equal(breaker.state, "closed");
  });

  it("lets exactly one probe through, whose success closes it", () => {
    const { breaker, openAt, came } = create();
    const until = openAt(0);
    assert.equal(breaker.enter(until - 1), "refused");
    assert.equal(breaker.enter(until), "probe");
    assert.deepEqual([breaker.enter(until), breaker.enter(until + 60_000)], ["refused", "refused"]);
    breaker.probed(until, true);
    assert.equal(breaker.enter(until), "pass");
    assert.deepEqual(came.map(([state]) => state), ["open", "half_open", "closed"]);
  });

  it("makes the next call the probe when one says nothing", () => {
    const { breaker, openAt } = create();
    const until = openAt(0);
    assert.equal(breaker.enter(until), "probe");
    breaker.probed(until, undefined);
    assert.equal(breaker.enter(until), "probe");
    assert.equal(breaker.enter(until), "refused");
  });

  it("is open for twice as long each time, up to the longest", () => {
    const { came, openAt } = create();
    for (let now = 0, time = 0; time < 7; time++) now = openAt(now);
    const opened = came.filter(([state]) => state === "open").map(([, ms]) => ms);
    assert.deepEqual(opened, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it("leaves a tenth of its time to chance", () => {
    const { came, openAt } = create({}, () => 0.5);
    openAt(0);
    assert.deepEqual(came, [["open", 950]]);
  });

  it("keeps its long time until it was closed for a good while", () => {
    const { breaker, came, openAt } = create();
    let now = 0;
    for (let time = 0; time < 4; time++) now = openAt(now);
    const closeAt = (at: number) => {
      assert.equal(breaker.enter(at), "probe");
      breaker.probed(at, true);
    };
    closeAt(now);
    now = openAt(now + 5000);
    closeAt(now);
    openAt(now + 2 * SETTINGS.open_for);
    const opened = came.filter(([state]) => state === "open").map(([, ms]) => ms);
    assert.deepEqual(opened, [1000, 2000, 4000, 8000, 16_000, 1000]);
  });

  it("is closed by a run of pings only", () => {
    const { breaker, openAt } = create();
    const until = openAt(0);
    assert.equal(breaker.enter(until), "probe");
    breaker.pinged(until, true);
    assert.equal(breaker.state, "half_open");
    assert.equal(breaker.enter(until), "probe");
    breaker.pinged(until, true);
    assert.equal(breaker.state, "closed");
  });

  it("takes no notice of calls that were under way when it opened", () => {
    const { breaker, openAt, fail, came } = create();
    const until = openAt(0);
    breaker.succeeded(0);
    fail(10);
    assert.equal(breaker.enter(until), "probe");
    fail(10, until);
    breaker.succeeded(until);
    assert.equal(breaker.state, "half_open");
    assert.equal(came.length, 2);
  });

  it("obeys settings that change while it runs", () => {
    const settings = { failures: 5 };
    const breaker = new Breaker({
      settings: () => ({ ...SETTINGS, ...settings }),
      fraction: () => 0,
      changed: () => {},
    });
    breaker.failed(0);
    settings.failures = 2;
    breaker.failed(0);
    assert.equal(breaker.state, "open");
  });

  proves("G7.4", "of a backend that flaps rests: few transitions, one probe each (T53)", () => {
    let seed = 1;
    const fraction = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const transitions: number[] = [];
    let now = 0;
    let probes = 0;
    let halfOpenings = 0;
    const breaker = new Breaker({
      settings: () => SETTINGS,
      fraction,
      changed: (state) => {
        if (now > 60_000) transitions.push(now);
        if (state === "half_open") halfOpenings++;
      },
    });
    for (now = 0; now < 300_000; now += 50) {
      const isUp = Math.floor(now / 3000) % 2 === 0;
      // Several callers at the same time.
      const entries = [breaker.enter(now), breaker.enter(now), breaker.enter(now)];
      probes += entries.filter((entry) => entry === "probe").length;
      for (const entry of entries) {
        if (entry === "probe") breaker.probed(now, isUp);
        else if (entry === "pass" && isUp) breaker.succeeded(now);
        else if (entry === "pass") breaker.failed(now);
      }
    }
    assert.ok(transitions.length > 2, "it was tried again");
    assert.ok(transitions.length <= 240_000 / 10_000, `${transitions.length} transitions`);
    assert.equal(probes, halfOpenings);
  });
});
