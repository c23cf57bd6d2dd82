import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MASK } from "../../src/config/mask.ts";
import { parseConfig, type ParsedConfig } from "../../src/config/parse.ts";
import { createConfigSource } from "../../src/hosts/config_source.ts";
import { Mask } from "../../src/hosts/mask.ts";

const FIRST = "first-value-of-the-token-0123456789";
const SECOND = "second-value-of-the-token-012345678";

const parse = (text: string, token = FIRST): Promise<ParsedConfig> =>
  parseConfig(text, {
    file: "sentinel.toml",
    env: { TOKEN: token },
    readFile: () => Promise.reject(new Error("no such file")),
  });

const BASE = `
[server]
listen = "127.0.0.1:8808"
[[management.tokens]]
name = "oncall"
scope = "admin"
value = "\${env:TOKEN}"
`;

async function sourceOf(read?: () => Promise<ParsedConfig>) {
  const first = await parse(BASE);
  const mask = new Mask(first.secrets);
  const source = await createConfigSource({
    name: "sentinel.toml",
    first: first.config,
    mask,
    ...(read === undefined ? {} : { read }),
  });
  return { source, mask, running: first.config };
}

describe("config source", () => {
  it("proposes what changed, and keeps what waits for a restart", async () => {
    const text = BASE.replace("8808", "9999") + '[backends.a]\nurl = "https://a.example.com/mcp"\n';
    const { source, running } = await sourceOf(() => parse(text));
    const { changes, config, hash } = await source.read(running);
    assert.deepEqual(changes.map(({ path, effect }) => [path, effect]), [
      ["server.listen", "restart"],
      ["backends.a", "live"],
    ]);
    assert.equal(config.server.listen, "127.0.0.1:8808");
    assert.ok("a" in config.backends);
    assert.match(hash, /^[0-9a-f]{12}$/);
    assert.notEqual(hash, source.hash);
  });

  it("the same text is no change, and has the same hash", async () => {
    const { source, running } = await sourceOf(() => parse(BASE));
    const { changes, hash } = await source.read(running);
    assert.deepEqual([changes, hash], [[], source.hash]);
  });

  it("a new secret is never shown, and masked everywhere from its adoption on", async () => {
    const { source, mask, running } = await sourceOf(() => parse(BASE, SECOND));
    const proposal = await source.read(running);
    const [change] = proposal.changes;
    assert.match(change?.path ?? "", /^management\.tokens/);
    assert.ok(!JSON.stringify(proposal.changes).includes("-value-of-the-token"));
    assert.equal(mask.apply(SECOND), SECOND);
    proposal.adopt();
    assert.equal(mask.apply(`${FIRST} ${SECOND}`), `${MASK} ${MASK}`);
    assert.ok(!JSON.stringify(source.view(proposal.config)).includes("-value-of-the-token"));
  });

  it("a mistake is CONFIG_INVALID with every issue and its place", async () => {
    const { source, running } = await sourceOf(() => parse(`${BASE}[server.x]\n[bakcends]\n`));
    await assert.rejects(source.read(running), ({ code, details }) => {
      assert.equal(code, "CONFIG_INVALID");
      const { issues } = details.more;
      assert.ok(issues.length >= 2);
      for (const issue of issues) {
        assert.equal(issue.file, "sentinel.toml");
        assert.ok(issue.line > 0 && issue.column > 0 && issue.message !== "");
        assert.equal("frame" in issue, false);
      }
      return true;
    });
  });

  it("a file that cannot be read is CONFIG_INVALID with the reason", async () => {
    const { source, running } = await sourceOf(() =>
      Promise.reject(new Error("permission denied"))
    );
    await assert.rejects(source.read(running), {
      code: "CONFIG_INVALID",
      message: 'Cannot read "sentinel.toml": permission denied',
    });
  });

  it("without anything to read a reload is refused as such", async () => {
    const { source, running } = await sourceOf();
    await assert.rejects(source.read(running), { code: "OPERATION_DISABLED" });
  });
});
