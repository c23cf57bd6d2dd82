/** Bounds of `mcp-sentinel doctor`. */
import type { Area } from "./table.ts";

export const DIAGNOSIS: Area = {
  title: "Diagnosis",
  keys: {},
  fixed: {
    "hosts/examine/backends.ts": {
      GUESS_MS: ["Time for another usual address of a backend", "ms", "it is not named as cure"],
    },
    "hosts/examine/issuers.ts": {
      MAX_BYTES: ["Keys of an issuer", "bytes", "the check fails"],
    },
    "hosts/examine/latency.ts": {
      MAX_BYTES: ["One answer that is measured", "bytes", "latency is not measured"],
    },
    "hosts/examine/suite.ts": {
      SUITE_MS: ["Time for one run of the conformance suite", "ms", "it is ended"],
      MAX_OUTPUT: ["What the suite may print", "bytes", "it is ended"],
    },
    "stores/sqlite/probe.ts": {
      BUSY_MS: ["Wait for another process that writes", "ms", "the check fails"],
    },
  },
};
