/** Clients without sessions, and calls between the eras of the protocol: [bridge]. */
import * as v from "valibot";
import { duration } from "../units.ts";
import { key } from "./key.ts";
import { count } from "./values.ts";

export const bridge = v.strictObject({
  parked: key(
    v.optional(count, 1000),
    "Most calls that wait for the answer of a modern client to a question of a legacy backend.",
    { example: "200", reload: "live" },
  ),
  parked_per_caller: key(v.optional(count, 32), "Most of them for one caller.", {
    example: "8",
    reload: "live",
  }),
  answer_timeout: key(
    v.optional(duration, "10m"),
    "Time a client has to answer a question of a backend; then the call is given up.",
    { example: '"2m"', reload: "live" },
  ),
  rounds: key(v.optional(count, 8), "Most times a client is asked within one call.", {
    example: "4",
    reload: "live",
  }),
  listens: key(v.optional(count, 1024), "Most open listens of modern clients.", {
    example: "200",
    reload: "live",
  }),
  listens_per_caller: key(v.optional(count, 64), "Most of them for one caller.", {
    example: "16",
    reload: "live",
  }),
});
