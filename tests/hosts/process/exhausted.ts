/** Opens files until there are no descriptors left, then starts a child and prints what became of it. */
import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { createSpawner } from "../../../src/hosts/process/spawn.ts";
import { fixture, KeptLog } from "./children.ts";

const spawner = await createSpawner({ log: new KeptLog() });
const open: number[] = [];
try {
  for (;;) open.push(openSync("/dev/null", "r"));
} catch {
  const { exited } = spawner.spawn(fixture("hangs"));
  const exit = await exited;
  for (const fd of open) closeSync(fd);
  process.stdout.write(JSON.stringify(exit));
  spawner.close();
}
