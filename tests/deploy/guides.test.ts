import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { parseFilter } from "../../src/contract/filter.ts";
import { FILTERS } from "../../src/contract/manage/filters.ts";
import { readSource, ROOT } from "../arch/source_files.ts";
import { parse } from "../config/parsing.ts";
import { proves } from "../support/proves.ts";
import { understood, wordsOf } from "./command_lines.ts";
import { blocks, linesOf } from "./page_blocks.ts";

const GUIDES = ["docs/operating.md", "docs/security_configuration.md", "docs/migration.md"];
/** What a start as before says nothing wrong about: `--no-tui` is taken out before words are looked at. */
const OLD = "--no-tui";
const ENV = {
  N8N_TOKEN: "token-of-n8n",
  DATABASE_URL: "postgres://sentinel:database-password@db.example.com/sentinel",
  REDIS_URL: "rediss://:redis-password@redis.example.com:6379",
  SENTINEL_JWT_SECRET: "secret-of-the-issuer-to-try-0123456789",
  SENTINEL_SCRAPE_TOKEN: "scrape-token-0123456789abcdef0123456789",
  SENTINEL_ONCALL_TOKEN: "oncall-token-0123456789abcdef0123456789",
};

/** Our own command lines in a page, without the program's name. */
function commands(page: string): readonly (readonly string[])[] {
  const inBlocks = blocks(page, "").flatMap(linesOf);
  const inTexts = [...readSource(page).matchAll(/`(mcp-sentinel [^`]+)`/g)].map(([, text = ""]) =>
    text
  );
  return [...inBlocks, ...inTexts]
    .flatMap((line) => /(?:^|gateway )mcp-sentinel (.+)$/.exec(line)?.[1] ?? [])
    .map(wordsOf)
    .filter((words) => !words.includes(OLD));
}

describe("guides", () => {
  proves("S9", "name only commands and options that there are", async () => {
    for (const page of GUIDES) {
      const all = commands(page);
      assert.ok(all.length >= 2, `saw only ${all.length} commands in ${page}`);
      for (const words of all) assert.equal(await understood(words), undefined, page);
    }
    assert.match(await understood(["backends", "shows", "x"]) ?? "", /show/);
  });

  it("filter by what can be filtered by", () => {
    const filters = GUIDES.flatMap(commands).flatMap((words) => {
      const [noun, verb, ...rest] = words;
      const fields = noun === "events"
        ? FILTERS.events
        : noun === "audit"
        ? FILTERS.audit
        : undefined;
      if (fields === undefined || verb === "verify" || verb === "export") return [];
      return rest.filter((word) => /^\w+:/.test(word)).map((term) => [term, fields] as const);
    });
    assert.ok(filters.length >= 10, `saw only ${filters.length} filters`);
    for (const [term, fields] of filters) {
      // deno-lint-ignore no-explicit-any -- fields of either kind
      assert.doesNotThrow(() => parseFilter(term, fields as any, 0), term);
    }
  });

  proves("S9", "show configurations that are valid, and that do what is said", async () => {
    const texts = GUIDES.flatMap((page) => blocks(page, "toml"));
    assert.ok(texts.length >= 10, `saw only ${texts.length} configurations`);
    for (const text of texts) {
      const { notices } = await parse(text, { env: ENV });
      assert.deepEqual(notices, [], text);
    }
  });

  it("name only files that are there", () => {
    const named = GUIDES.flatMap((page) =>
      [...readSource(page).matchAll(/\bdeploy\/[\w./-]+\w/g)].map(([path]) => path)
    );
    assert.ok(named.length >= 8);
    for (const path of named) assert.ok(existsSync(ROOT + path), path);
  });
});
