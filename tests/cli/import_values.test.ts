import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseEnv } from "node:util";
import { parseConfig } from "../../src/config/parse.ts";
import { asPerson } from "./import_setup.ts";

/** Pieces of texts that are hard to tell apart, to quote, or to hide. */
const PIECES = [
  "${A}",
  "${B:-x y}",
  "${env:A}",
  "${ ",
  "${}",
  "$",
  "$$",
  "}",
  "a",
  " ",
  "=",
  "token=",
  "&api_key=",
  "s3cret-Value-77",
  "Bearer ",
  "https://user:pw@",
  "host/",
  "?",
  '"',
  "\\x",
  "\n",
  "é",
  "\u202e",
  "#",
  "--password",
  "ghp_0123456789abcdefghij",
];
const ENV = { A: "value-a", B: "value-b" };
const TEXTS = 400;

/** What a client starts its server with, by a second implementation of its variables. */
const EXPAND = {
  "claude-code": (text: string) =>
    text.replace(/\$\{([A-Z])(?::-[^{}]*)?\}/g, (_whole, name: "A" | "B") => ENV[name]),
  cursor: (text: string) =>
    text.replace(/\$\{env:([A-Z])\}/g, (_whole, name: "A" | "B") => ENV[name]),
  "claude-desktop": (text: string) => text,
} as const;

describe("import: a server gets what its client gave it", () => {
  for (const [client, expand] of Object.entries(EXPAND)) {
    it(client, () =>
      asPerson(async (person) => {
        const texts = randomTexts(client.length);
        const server = {
          command: "server",
          args: texts,
          env: Object.fromEntries(
            texts.map((text, at) => [`KEY_${at}${at % 2 ? "_TOKEN" : ""}`, text]),
          ),
        };
        person.write("project/x.json", JSON.stringify({ mcpServers: { server } }));
        const argv = ["x.json", "--from", client, "--write"];
        const { code, err } = await person.import(argv, { env: ENV });
        assert.equal(code, 0, err);
        const secrets = parseEnv(person.read("project/sentinel.env"));
        const { config } = await parseConfig(person.read("project/sentinel.toml"), {
          file: "sentinel.toml",
          env: { ...secrets, ...ENV },
          readFile: () => Promise.reject(new Error("no file in this test")),
        });
        const backend = config.backends["server"];
        assert.deepEqual(backend?.args, server.args.map(expand));
        const expected = Object.entries(server.env).map(([name, text]) => [name, expand(text)]);
        assert.deepEqual(backend?.env, Object.fromEntries(expected));
      }));
  }
});

/** The same texts in every run. */
function randomTexts(seed: number): readonly string[] {
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % limit;
  };
  const piece = () => PIECES[below(PIECES.length)] ?? "";
  return Array.from({ length: TEXTS }, () => Array.from({ length: 1 + below(6) }, piece).join(""));
}
