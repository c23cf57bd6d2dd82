import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { readSource, ROOT } from "../arch/source_files.ts";
import { parse } from "../config/parsing.ts";

const PAGES = [
  "README.md",
  "CHANGELOG.md",
  ...["docs", "docs/adr"].flatMap((folder) =>
    readdirSync(ROOT + folder).filter((name) => name.endsWith(".md")).map((name) =>
      `${folder}/${name}`
    )
  ),
];

/** What GitHub makes of a heading. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-");
}

function brokenLinks(page: string): string[] {
  const targets = [...readSource(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) =>
    target
  );
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : join(dirname(page), path);
    if (!existsSync(ROOT + file)) return true;
    if (anchor === undefined) return false;
    const headings = [...readSource(file).matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) => text);
    return !headings.map(anchorOf).includes(anchor);
  });
}

describe("pages", () => {
  it("link only to files and headings that exist", () => {
    assert.ok(PAGES.length >= 10, `saw only ${PAGES.length} pages`);
    for (const page of PAGES) assert.deepEqual(brokenLinks(page), [], page);
  });

  it("show no configuration that the gateway would refuse", async () => {
    const blocks = PAGES.flatMap((page) =>
      [...readSource(page).matchAll(/^```toml\n([^]*?)^```$/gm)].map(([, text = ""]) => text)
    );
    assert.ok(blocks.length >= 1, "saw no configuration");
    const env = {
      N8N_TOKEN: "token-of-n8n",
      CRM_TOKEN: "token-of-the-crm",
      REDIS_URL: "rediss://:redis-password@redis.example.com:6379",
      DATABASE_URL: "postgres://sentinel:database-password@db.example.com/sentinel",
      SENTINEL_JWT_SECRET: "secret-of-the-issuer-to-try-0123456789",
      SENTINEL_SCRAPE_TOKEN: "scrape-token-0123456789abcdef0123456789",
      SENTINEL_ONCALL_TOKEN: "oncall-token-0123456789abcdef0123456789",
    };
    for (const text of blocks) await parse(text, { env });
  });

  it("number the decisions without gaps", () => {
    const numbers = readdirSync(`${ROOT}docs/adr`).sort().map((name) => Number(name.slice(0, 4)));
    assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
  });
});

describe("demonstration", () => {
  it("is a configuration whose programs are installed", async () => {
    const { config, notices } = await parse(readSource("deploy/demo.toml"));
    assert.deepEqual(notices, []);
    for (const [name, { args, cwd }] of Object.entries(config.backends)) {
      assert.ok(existsSync(join(ROOT, "deploy", cwd ?? "", args[0] ?? "")), name);
    }
    assert.equal(Object.keys(config.backends).length, 3);
  });
});
