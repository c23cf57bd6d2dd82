/** What a storm of reloads does to the configuration file, one step after the other. */
import { appendFile, mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Fleet } from "./fleet_file.ts";
import type { ManagedGateway } from "./managed_gateway.ts";

/** Kinds of steps, in the order they take turns; one in ten is a broken file. */
export const STEP_KINDS = [
  "add",
  "header",
  "rename",
  "command",
  "broken",
  "adjust",
  "truncated",
  "symlink",
  "two at once",
  "remove",
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** The fleet after a step. */
export function after(kind: StepKind, fleet: Fleet, step: number): Fleet {
  switch (kind) {
    case "add":
      return { ...fleet, guests: [...fleet.guests, `guest-${step}`] };
    case "remove":
      return { ...fleet, guests: fleet.guests.slice(1) };
    case "rename":
      return { ...fleet, renamed: `renamed-${step}` };
    case "command":
      return { ...fleet, command: fleet.command + 1 };
    case "broken":
      return fleet;
    case "adjust":
      return { ...fleet, adjusted: fleet.adjusted % 50 + 1 };
    case "header":
    case "truncated":
    case "symlink":
    case "two at once":
      return { ...fleet, header: fleet.header + 1 };
  }
}

/** Texts that must be refused, made from a right one. */
const BREAKAGES: readonly ((text: string) => string)[] = [
  (text) => `${text}\n[backends.steady]\nurl = "http://127.0.0.1:1/twice"\n`,
  (text) => `${text}\n[backends.nowhere]\nurl = "not a url"\n`,
  (text) => `${text}\n[backends.both]\nurl = "http://127.0.0.1:1/"\ncommand = "true"\n`,
  (text) => `${text}\nthis is not TOML\n`,
  (text) => text.replace("request_timeout", "reqest_timeout"),
  (text) => text.replace("request_timeout = ", "request_timeout = 1"),
  (text) => text.replace('scope = "admin"', 'scope = "everything"'),
  (text) => text.replace("debounce", "debounce = = 1 #"),
  (text) => `${text}\n[kill]\nbackends = ["nobody"]\nreason = "test"\n`,
  (text) => text.replace("${env:PROOF_ADMIN}", "${env:PROOF_NOT_THERE}"),
];

export function broken(text: string, step: number): string {
  const turn = Math.floor(step / STEP_KINDS.length) % BREAKAGES.length;
  const breakage = BREAKAGES[turn] as (text: string) => string;
  const wrong = breakage(text);
  if (wrong === text) throw new Error(`Breakage ${turn} changed nothing`);
  return wrong;
}

/** The same with another value that takes effect in place. */
export function variantOf(text: string): string {
  return text.replace(/request_timeout = "\d+s"/, 'request_timeout = "45s"');
}

/** Writes in place what a writer has written when it is interrupted: the last line has no end. */
export async function writeCut(gateway: ManagedGateway, text: string): Promise<string> {
  const cut = text.lastIndexOf("=") + 1;
  await writeFile(gateway.file, text.slice(0, cut));
  return text.slice(cut);
}

/** The interrupted writer goes on. */
export async function writeRest(gateway: ManagedGateway, rest: string): Promise<void> {
  await appendFile(gateway.file, rest);
}

/** As mounted configurations change: a link to a folder is put in the place of another. */
export async function swapLinks(gateway: ManagedGateway, text: string, step: number) {
  const release = join(gateway.folder, `release-${step}`);
  await mkdir(release);
  await writeFile(join(release, basename(gateway.file)), text);
  await replaceLink(release, join(gateway.folder, "current"));
  await replaceLink(join("current", basename(gateway.file)), gateway.file);
}

async function replaceLink(target: string, path: string): Promise<void> {
  await symlink(target, `${path}.next`);
  await rename(`${path}.next`, path);
}
