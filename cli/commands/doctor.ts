import { parseDuration } from "../../src/contract/units.ts";
import { type DoctorOptions, type DoctorRequest, examineAll } from "../doctor/mod.ts";
import { createProgress } from "../doctor/progress.ts";
import { diagnosisOf, report } from "../doctor/report.ts";
import { EXIT } from "../exit.ts";
import { interruption } from "../interruption.ts";

/** For each check: longer than a handshake may take, as a process may be asked twice. */
const LIMIT_MS = 20_000;

/** Looks at everything a gateway needs, and says what is wrong; exit code 6 when something does not work. */
export async function doctor(request: DoctorRequest): Promise<number> {
  const { io, output, options } = request;
  const stop = interruption(io);
  const { signal } = stop;
  const progress = createProgress(io, output);
  progress.show("looking…");
  try {
    const limitMs = limitOf(options);
    const { checks, secrets } = await examineAll({ request, signal, progress, limitMs });
    progress.end();
    return report(diagnosisOf(checks, secrets), output);
  } catch (thrown) {
    if (signal.aborted) return EXIT.interrupted;
    throw thrown;
  } finally {
    progress.end();
    stop.end();
  }
}

function limitOf({ timeout }: DoctorOptions): number {
  return parseDuration(timeout ?? "") ?? LIMIT_MS;
}
