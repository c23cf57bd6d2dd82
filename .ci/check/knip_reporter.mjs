/** Tells how many files knip looked at, beside its usual report: zero would pass silently. */
import process from "node:process";

export default ({ counters }) => {
  process.stdout.write(`knip saw ${counters.processed} files\n`);
};
