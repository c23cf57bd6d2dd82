import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readSource } from "../arch/source_files.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { stepsIn, wordsIn } from "./page_commands.ts";
import { ownWords, PROGRAMS, Reader } from "./page_session.ts";

/** Pages that are followed from their first to their last command, with the variables they mention. */
const PAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "docs/tutorial.md": {},
  "README.md": { N8N_TOKEN: "token-of-n8n-0123456789" },
};
/** A page in which fewer commands were seen is one whose blocks are written in another way. */
const FEWEST = 5;

describe("pages to follow", () => {
  for (const [page, variables] of Object.entries(PAGES)) {
    it(
      `${page}: every command does what it says`,
      { timeout: 300_000 },
      () =>
        inFolder(async (folder) => {
          const steps = stepsIn(readSource(page), isProgram);
          const commands = steps.filter(({ kind }) => kind === "command");
          assert.ok(commands.length >= FEWEST, `saw only ${commands.length} commands`);
          const reader = new Reader(folder, variables);
          try {
            for (const step of steps) {
              if (step.kind === "config") reader.config(step.text);
              else await reader.follow({ ...step, words: ownWords(step.words) });
            }
          } finally {
            await reader.end();
          }
        }),
    );
  }

  it("README.md: bold figures are those of the results", () => {
    const results = readSource("bench/RESULTS.md");
    const figures = [...readSource("README.md").matchAll(/\*\*([^*\n]+)\*\*/g)].map((
      [, text = ""],
    ) => text);
    assert.ok(figures.length >= 5, `saw only ${figures.join()}`);
    for (const figure of figures) assert.ok(results.includes(figure), figure);
  });
});

describe("commands of a page", () => {
  it("are read from blocks with prompts and from blocks that begin with a program", () => {
    const page = "```console\n$ mcp-sentinel up && cd x\n\n  out  put\n$ npm test # all\n```\n" +
      "```\nnpm ci\nmcp-sentinel kill tool 'a b'\n```\n" +
      "```\na diagram\n```\n```json\n{}\n```\n```toml\nversion = 1\n```\n";
    assert.deepEqual(
      stepsIn(page, isProgram).map((step) =>
        step.kind === "config" ? step.text : [step.words, step.output]
      ),
      [
        [["mcp-sentinel", "up"], []],
        [["cd", "x"], ["  out  put"]],
        [["npm", "test"], []],
        [["npm", "ci"], []],
        [["mcp-sentinel", "kill", "tool", "a b"], []],
        "version = 1\n",
      ],
    );
    assert.deepEqual(wordsIn('x "a b" c#d # e'), [["x", "a b", "c#d"]]);
  });
});

function isProgram(word: string): boolean {
  return Object.hasOwn(PROGRAMS, word);
}
