/**
 * A gateway of one child, to be killed by a test: starts the fixture of the first argument, passes its
 * first message on with both pids, and stays. The second argument is the launcher, the third the state
 * directory.
 */
import process from "node:process";
import { createSpawner } from "../../../src/hosts/process/spawn.ts";
import { firstMessage, fixture, KeptLog } from "./children.ts";

const [name = "", launcher, stateDir = ""] = process.argv.slice(2);
const spawner = await createSpawner({
  log: new KeptLog(),
  launcher: launcher === "none" ? "none" : "auto",
  stateDir,
});
const child = spawner.spawn(fixture(name));
const { params } = await firstMessage<{ params: { pid: number } }>(child.output);
process.stdout.write(`${JSON.stringify({ child: child.pid, grandchild: params.pid })}\n`);
setInterval(() => {}, 60_000);
