/** Variables for the literal credentials of an import. */
import { looksLikeCredential, passwordOf } from "../../src/config/credentials.ts";
import type { Secret } from "./text.ts";
import { shout } from "./variables.ts";

/** The gateway takes variables of this name for keys of its configuration. */
const OVERRIDE = /^SENTINEL(?=_|$)/;

export interface VaultOptions {
  /** What variables stand for already, in `sentinel.env`. */
  readonly known: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Variables that the files themselves refer to: they must go on meaning what they meant. */
  readonly taken: ReadonlySet<string>;
}

/** Gives each credential a variable; the same value under the same name is one variable. */
export class Vault {
  readonly #options: VaultOptions;
  readonly #values = new Map<string, string>();

  constructor(options: VaultOptions) {
    this.#options = options;
  }

  /** The variable of a credential of this server. */
  put(secret: Secret, server: string): string {
    const name = this.#candidates(secret, server).find((name) => this.#mayHold(name, secret));
    if (name === undefined) throw new Error("Cannot name a credential: every name is taken");
    this.#values.set(name, secret.secret);
    return name;
  }

  /** Every variable that was given out, with its value. */
  get values(): ReadonlyMap<string, string> {
    return this.#values;
  }

  #mayHold(name: string, { secret, isDefault }: Secret): boolean {
    const { known, env, taken } = this.#options;
    const held = this.#values.get(name) ?? known.get(name);
    if (held !== undefined) return held === secret;
    if (isDefault) return true;
    // The environment would win over the file.
    return !taken.has(name) && (env[name] === undefined || env[name] === secret);
  }

  *#candidates(
    { hint, isNamed, isDefault, secret }: Secret,
    server: string,
  ): Generator<string> {
    if (isDefault && !OVERRIDE.test(hint)) yield hint;
    const prefix = shout(server).replace(OVERRIDE, "MCP_$&");
    const own = (shout(hint) || "SECRET").replace(OVERRIDE, "MCP_$&");
    const long = own.startsWith(`${prefix}_`) ? own : `${prefix}_${own}`;
    const isPlain = looksLikeCredential(own) || passwordOf(secret) !== undefined;
    const ending = isPlain ? "" : "_SECRET";
    if (isNamed) yield own + ending;
    yield long + ending;
    for (let number = 2; number < 10_000; number++) yield `${long}${ending}_${number}`;
  }
}
