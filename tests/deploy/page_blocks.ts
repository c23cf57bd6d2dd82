/** Parts of the guides that a reader would copy. */
import { readSource } from "../arch/source_files.ts";

/** Blocks of code of a language; `""`: of none. */
export function blocks(page: string, language: string): readonly string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm");
  return [...readSource(page).matchAll(fence)].map(([, text = ""]) => text);
}

/** The only block that has a text in it. */
export function blockWith(text: string, page: string, language = ""): string {
  const [only, ...more] = blocks(page, language).filter((block) => block.includes(text));
  if (only === undefined || more.length > 0) {
    throw new Error(`Cannot find the one block with "${text}" in ${page}`);
  }
  return only;
}

/** Commands of a block, each on one line. */
export function linesOf(block: string): readonly string[] {
  return block.replaceAll(/ *\\\n\s*/g, " ").split("\n").filter((line) => line !== "");
}
