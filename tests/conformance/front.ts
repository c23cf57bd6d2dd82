import { stringify } from "smol-toml";
import { startGateway } from "../support/gateway.ts";
import { startFixtureServer } from "./fixture_server.ts";
import { runSuite, type SuiteRun } from "./run_suite.ts";
import type { Suite } from "./suites.ts";

/** What the gateway logs when it has read the lists of a backend. */
const LISTED = /"event":"catalog\.changed"/;

/** A fixture server, and the gateway in front of another one like it. */
export interface Front {
  /** The suite against the server by itself; run once, whoever asks. */
  direct(suite: Suite): Promise<SuiteRun>;
  through({ edition, args }: Suite): Promise<SuiteRun>;
  stop(): Promise<void>;
}

/** Era as `startFixtureServer` takes it; the gateway finds it out. */
export async function startFront(era: "legacy" | "both"): Promise<Front> {
  const alone = await startFixtureServer(era);
  const behind = await startFixtureServer(era);
  const gateway = await startGateway(stringify({
    // The suite leaves calls that wait for answers: nobody waits for them when it is over.
    server: { drain_timeout: "1s" },
    catalog: { prefix: "never", sanitize: false },
    backends: { fixture: { url: behind.url } },
  }));
  await gateway.printed(LISTED);
  let direct: Promise<SuiteRun> | undefined;
  return {
    direct: ({ edition, args }) => direct ??= runSuite(alone.url, edition, args),
    through: ({ edition, args }) => runSuite(gateway.url, edition, args),
    stop: async () => {
      await gateway.stop();
      await Promise.all([alone.close(), behind.close()]);
    },
  };
}
