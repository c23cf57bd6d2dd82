/** Under Deno's permissions: starts a family, kills it, and prints what was possible. */
import process from "node:process";
import { createSpawner } from "../../../src/hosts/process/spawn.ts";
import { firstMessage, fixture, KeptLog } from "./children.ts";

const log = new KeptLog();
const spawner = await createSpawner({ log, stateDir: "/no/permission" });
const child = spawner.spawn(fixture("family"));
const { params } = await firstMessage<{ params: { pid: number } }>(child.output);
child.kill("SIGKILL");
const exit = await child.exited;
const unknown = await spawner.spawn({ ...fixture("family"), command: "no-such-program" }).exited;
process.stdout.write(JSON.stringify({
  exit,
  grandchild: params.pid,
  unknown,
  launcher: spawner.launcher ?? "none",
  log: log.entries.map(({ event, fields }) => [event, fields]),
}));
spawner.close();
