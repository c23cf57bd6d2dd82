/** Values for completion that are cheap to know: no gateway is asked, and nothing is said when it fails. */
import type { Io } from "./io.ts";

/** What may stand in one place of a command line. */
export interface Offered {
  /** Its path; undefined for an option of every command. */
  readonly command: string | undefined;
  /** Name of the argument or option. */
  readonly place: string;
  readonly values: readonly string[];
}

interface Source {
  readonly commands: readonly string[];
  readonly place: string;
  readonly values: (io: Pick<Io, "env">) => Promise<readonly string[]>;
}

/** A name that a shell reads as one word and a terminal shows as it is. */
const PLAIN = /^[\w.:-]{1,200}$/;

const SOURCES: readonly Source[] = [
  {
    commands: ["profile use", "profile remove", "profile test"],
    place: "name",
    values: profiles,
  },
  { commands: ["config explain"], place: "key", values: keys },
  { commands: ["connect"], place: "client", values: clients },
  { commands: ["schema"], place: "kind", values: kinds },
];

/** What the words before the one to complete ask for. */
export async function valuesFor(
  words: readonly string[],
  io: Pick<Io, "env">,
): Promise<readonly Offered[]> {
  const typed = words.at(-1) ?? "";
  const isProfile = /^(-p|--profile)$/.test(words.at(-2) ?? "") || typed.startsWith("--profile=");
  if (isProfile) {
    return [{ command: undefined, place: "profile", values: await plain(() => profiles(io)) }];
  }
  const line = words.slice(0, -1).filter((word) => !word.startsWith("-")).join(" ");
  const found: Offered[] = [];
  for (const { commands, place, values } of SOURCES) {
    for (const command of commands) {
      if (line !== command) continue;
      found.push({ command, place, values: await plain(() => values(io)) });
    }
  }
  return found;
}

async function plain(look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return (await look()).filter((value) => PLAIN.test(value));
  } catch {
    return []; // the command itself will say what is wrong
  }
}

async function profiles(io: Pick<Io, "env">): Promise<readonly string[]> {
  const { profileNames, readProfiles } = await import("./profiles.ts");
  return profileNames(await readProfiles(io));
}

async function keys(): Promise<readonly string[]> {
  const { explainAll } = await import("../src/config/explain.ts");
  return explainAll().map(({ key }) => key.replaceAll(".*", ""));
}

async function clients(): Promise<readonly string[]> {
  const { CLIENTS } = await import("./clients/clients.ts");
  return Object.keys(CLIENTS);
}

async function kinds(): Promise<readonly string[]> {
  const { CLI_OUTPUTS } = await import("../src/contract/cli_outputs.ts");
  return Object.keys(CLI_OUTPUTS);
}
