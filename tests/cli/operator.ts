/** A person at a command line, in front of a management API that runs on this machine. */
import {
  type ManagementOptions,
  startManagement,
  type TestManagement,
  TOKENS,
} from "../support/management.ts";
import { type FakeIoOptions, type Ran, runCli } from "./fake_io.ts";

export interface Operator {
  readonly management: TestManagement;
  readonly url: URL;
  /** Runs a command against the gateway; with an admin token unless the options say otherwise. */
  run(argv: readonly string[], options?: OperatorOptions): Promise<Ran>;
}

export interface OperatorOptions extends FakeIoOptions {
  readonly token?: string;
}

/** Runs `work` with a gateway that listens, and ends the gateway afterwards. */
export async function withOperator(
  options: ManagementOptions,
  work: (operator: Operator) => Promise<void>,
): Promise<void> {
  const management = await startManagement(options);
  try {
    const url = await management.listen();
    await work({ management, url, run: (argv, given = {}) => runAt(url, argv, given) });
  } finally {
    await management.stop();
  }
}

function runAt(url: URL, argv: readonly string[], options: OperatorOptions): Promise<Ran> {
  const { token = TOKENS.admin, env, ...rest } = options;
  const target = ["--management-port", url.port, "--management-token-env", "TOKEN"];
  return runCli([...argv, ...target], { ...rest, env: { TOKEN: token, ...env } });
}
