/**
 * What operators may rely on, with the figure it is held to and what shows it. `docs/promises.md` is made of this
 * table; `arch/promises.test.ts` looks whether everything it names is there.
 */

/** A proof at full size, as a command of `package.json`. */
export interface ProofRun {
  readonly script: string;
  /** Day of the last run at full size, `YYYY-MM-DD`; absent: never run. */
  readonly on?: string;
  /** What it gave. */
  readonly gave?: string;
}

export interface Kept {
  readonly promise: string;
  readonly figure: string;
  /** Below `tests/`; run with the suite on every change. */
  readonly tests: readonly string[];
  readonly proofs?: readonly ProofRun[];
  /** What of the figure was not shown, or was missed. */
  readonly missing?: string;
}

export const PROMISES: Readonly<Record<`P${string}`, Kept>> = {
  P01: {
    promise:
      "No unaudited call: what is not in the journal was not sent, what is not recorded was not answered",
    figure: "0 exceptions in ten `kill -9` under load",
    tests: ["scenarios/audit_crash.test.ts", "stores/audit_kill.test.ts"],
    proofs: [{
      script: "proof:audit",
      on: "2026-11-21",
      gave: "ten kills on each runtime, 28,825 calls, nothing lost, nothing twice",
    }],
    missing: "runs of 60,000 calls for each kill",
  },
  P02: {
    promise: "A database that is away costs no rows and no time",
    figure: "p99 ± 5 % at 500 calls/s",
    tests: ["scenarios/audit_postgres.test.ts", "stores/postgres/faults.test.ts"],
    proofs: [{
      script: "proof:outage",
      on: "2026-11-21",
      gave: "stopped and frozen: 155,173 calls, none failed, p99 27–29 ms throughout",
    }],
    missing: "an outage of half an hour; the proof takes minutes",
  },
  P03: {
    promise: "Loss is counted, never silent",
    figure: "written = committed + queued + dropped",
    tests: ["core/audit/audit.test.ts"],
  },
  P04: {
    promise: "The audit shows when a row was changed, added or taken out",
    figure: "each single edit is found",
    tests: ["cli/audit.test.ts"],
  },
  P05: {
    promise: "No call is sent twice; every failure says whether it may have run",
    figure: "0 duplicates under every fault",
    tests: ["scenarios/backend_faults.test.ts", "scenarios/soak_short.test.ts"],
    proofs: [
      {
        script: "soak",
        on: "2026-11-22",
        gave:
          "180,067 calls on Node among eleven kinds of faults; 81,057 on Deno with Redis; laws of the ledgers hold",
      },
    ],
  },
  P06: {
    promise: "Answers never reach another principal",
    figure: "0 in any run",
    tests: [
      "core/front/streamable_http.test.ts",
      "scenarios/interaction.test.ts",
      "scenarios/governance.test.ts",
    ],
    missing: "three million concurrent calls in one run",
  },
  P07: {
    promise: "One client cannot end or slow the others",
    figure: "0 exits; p99 of the others ≤ 1.2 ×",
    tests: ["scenarios/governance.test.ts", "scenarios/leavers.test.ts"],
    proofs: [{
      script: "proof:leavers",
      on: "2026-11-22",
      gave:
        "10,000 that leave at every point of a call on each runtime: each call recorded, no call of others " +
        "lost, nothing left behind",
    }],
    missing: "p99 of the others",
  },
  P08: {
    promise: "One backend cannot end or slow the others",
    figure: "p99 of the others ≤ 1.1 ×",
    tests: ["scenarios/isolation.test.ts"],
    proofs: [{ script: "proof:isolation", on: "2026-11-22", gave: "0.91 on Node" }],
    missing: "Deno and Bun at full size",
  },
  P09: {
    promise: "A reload loses nothing; a wrong file changes nothing",
    figure: "0 failed in 200 reloads at 500 calls/s",
    tests: ["scenarios/reload_storm.test.ts", "scenarios/reload_rollback.test.ts"],
    proofs: [{
      script: "proof:reload",
      on: "2026-11-22",
      gave: "0 failed of 21,727 on Node, 20,863 on Deno, 21,443 on Bun",
    }],
  },
  P10: {
    promise: "A kill switch is final: what starts after the acknowledgement is refused",
    figure: "0 calls let through; kept over restarts",
    tests: ["scenarios/control_plane_storms.test.ts", "core/runtime/control.test.ts"],
    proofs: [{
      script: "proof:kill",
      on: "2026-11-22",
      gave: "0 wrong of 3,199 calls on Node, 2,955 on Deno, 2,965 on Bun",
    }],
  },
  P11: {
    promise: "A stop is bounded and leaves nothing",
    figure: "exit ≤ `drain_timeout` + 2 s, no child left",
    tests: ["hosts/drain.test.ts", "scenarios/drain.test.ts", "scenarios/process_storm.test.ts"],
    proofs: [
      {
        script: "proof:drain",
        on: "2026-11-21",
        gave: "200 calls and 500 streams: exit after 5.1 s of 12, 3.5 s of 3",
      },
      { script: "proof:children", on: "2026-11-21", gave: "0 of 21 left on each runtime" },
    ],
  },
  P12: {
    promise: "A start is quick, and ready only when a backend answers",
    figure: "listening ≤ 300 ms",
    tests: ["cli/startup.test.ts", "core/front/health.test.ts"],
    proofs: [{
      script: "bench",
      on: "2026-11-22",
      gave: "bundle: 146 ms on Node, 110 ms on Bun and Deno",
    }],
    missing: "from source Node takes 560 ms",
  },
  P13: {
    promise:
      "A dead child is noticed and replaced; one that keeps dying is given up, with the reason",
    figure: "each call in flight is told; `fatal` after five exits in a minute",
    tests: ["scenarios/crash.test.ts", "core/backends/supervisor.test.ts"],
  },
  P14: {
    promise: "What cannot work fails at once",
    figure: "open circuit: nothing is sent, one probe at a time; retries ≤ 10 %",
    tests: ["core/backends/breaker.test.ts", "scenarios/backend_faults.test.ts"],
  },
  P15: {
    promise: "Everything is bounded",
    figure: "each bound with default, metric and error in [limits](limits.md)",
    tests: ["arch/bounds.test.ts", "core/limits/limits.test.ts"],
  },
  P16: {
    promise: "Slow connections are dropped",
    figure: "head ≤ 15 s, body ≤ 30 s",
    tests: [
      "hosts/slow_clients.test.ts",
      "hosts/tls/serve.test.ts",
      "scenarios/slow_clients.test.ts",
    ],
    proofs: [{ script: "proof:slow" }],
    missing:
      "on Deno slow heads and readers that take nothing stay connected: [runtimes](runtimes.md)",
  },
  P17: {
    promise: "Overload degrades gently",
    figure: "≥ 80 % of the best goodput at five times that load, refusals ≤ 20 ms",
    tests: ["core/limits/shedding.test.ts", "scenarios/overload.test.ts"],
    proofs: [{
      script: "proof:overload",
      on: "2026-11-22",
      gave:
        "Node, a backend that takes 16 calls at a time, 5 ×: goodput 94 % of its best, recovered after 1.5 s",
    }],
    missing:
      "refusals took 141 ms (p99); where the gateway itself is what is short, two cores cannot make five " +
      "times its load, and at 1.6 × it kept 21 %",
  },
  P18: {
    promise: "Sessions that say nothing cost next to nothing",
    figure: "10,000 kept, half with a stream; p99 of calls ≤ 1.2 ×; memory back afterwards",
    tests: ["scenarios/idle_sessions.test.ts"],
    proofs: [{
      script: "proof:idle",
      on: "2026-11-22",
      gave:
        "all kept; p99 0.52, 1.05 and 0.89 ×, resident memory afterwards 1.21, 1.01 and 1.18 × on Node, Deno " +
        "and Bun",
    }],
  },
  P19: {
    promise: "No pattern, schema or JSON text stops the gateway",
    figure: "patterns in linear time, depth and size bounded",
    tests: [
      "core/catalog/linear_pattern.test.ts",
      "core/catalog/hostile.test.ts",
      "hosts/schema_compiler/adaptive.test.ts",
    ],
  },
  P20: {
    promise: "What was approved is what runs",
    figure: "each change of a definition is held; a locked tool that changed is not called",
    tests: ["core/catalog/pins.test.ts"],
  },
  P21: {
    promise: "Invisible means invisible",
    figure: "hidden and unknown answer the same bytes",
    tests: ["core/auth/authorization_matrix.test.ts", "core/auth/policy.test.ts"],
  },
  P22: {
    promise: "Tokens of clients stay here; secrets appear nowhere",
    figure: "0 hits in logs, answers, files",
    tests: ["scenarios/governance_secrets.test.ts", "config/secrets.test.ts", "hosts/mask.test.ts"],
  },
  P23: {
    promise: "Nothing from the network becomes a command, a path or a URL to fetch",
    figure: "0 processes, 0 connections",
    tests: ["scenarios/governance.test.ts"],
  },
  P24: {
    promise: "Redirects are not followed",
    figure: "0 requests",
    tests: ["scenarios/governance.test.ts"],
  },
  P25: {
    promise: "Safe by default",
    figure: "loopback, sign-in on anything else, exit 78 for an unsafe start",
    tests: ["cli/start.test.ts", "scenarios/governance.test.ts", "hosts/control_plane.test.ts"],
  },
  P26: {
    promise: "Every route has its declared authorization",
    figure: "every method × role × credential; every route × scope",
    tests: ["core/auth/authorization_matrix.test.ts", "manage/authorization.test.ts"],
  },
  P27: {
    promise: "A clock that is set changes no limit, no time-out and no circuit",
    figure: "± 2 h",
    tests: ["core/front/limits.test.ts"],
    missing: "a real clock that is set while the gateway runs",
  },
  P28: {
    promise: "Stores that fail degrade it, and do not end it; sessions survive a restart",
    figure: "rolling restart: 0 failed calls",
    tests: [
      "scenarios/rolling_restart.test.ts",
      "scenarios/session_restart.test.ts",
      "stores/redis/faults.test.ts",
    ],
    proofs: [{
      script: "proof:rolling",
      on: "2026-11-21",
      gave: "ten restarts: 0 of 11,872 failed on Node, 0 of 10,922 on Deno, 0 of 9,717 on Bun",
    }],
  },
  P29: {
    promise: "The same on Node, Deno and Bun",
    figure: "one suite; differences in [runtimes](runtimes.md)",
    tests: ["ci/test_runner.test.ts"],
  },
  P30: {
    promise: "It speaks the protocol",
    figure: "the official conformance suite without a failure",
    tests: ["conformance/conformance.test.ts", "conformance/modern.test.ts"],
  },
  P31: {
    promise: "What is delivered can be checked",
    figure: "lock file, no install scripts",
    tests: ["build/bundle.test.ts"],
    missing: "a bill of materials and equal hashes of two builds",
  },
};
