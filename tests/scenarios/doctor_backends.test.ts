import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Authority } from "../support/certificates.ts";
import { assertTold, freePort, serve, setUp, shellBackend, toolServer } from "./doctor_setup.ts";

const TIMEOUT = { timeout: 60_000 };

describe("doctor names cause and cure of broken backends", () => {
  const CHILDREN: readonly (readonly [string, string, RegExp, RegExp])[] = [
    [
      "variable missing",
      shellBackend("one", "echo 'Error: FIRECRAWL_API_KEY is required' >&2; exit 1"),
      /exited with code 1 before initialize\nstderr: Error: FIRECRAWL_API_KEY is required/,
      /add {2}env = \{ FIRECRAWL_API_KEY = "\$\{env:FIRECRAWL_API_KEY\}" \} {2}to \[backends\.one\], and set the variable/,
    ],
    [
      "command not found",
      '[backends.one]\ncommand = "setprivv"\n',
      /command not found: "setprivv"/,
      /did you mean {2}command = "setpriv"/,
    ],
    [
      "process ends before it answers",
      shellBackend("one", "exit 3"),
      /exited with code 3 before initialize/,
      /run it by hand/,
    ],
    [
      "process killed",
      shellBackend("one", "kill -KILL $$"),
      /ended by signal SIGKILL before initialize/,
      /run it by hand/,
    ],
    [
      "stdout is no JSON-RPC",
      shellBackend("one", "echo listening on stdout; cat > /dev/null"),
      /no message within 1 s\nstdout: listening on stdout/,
      /make it log to stderr/,
    ],
    [
      "module missing",
      shellBackend("one", "echo \"Error: Cannot find module '/x/index.js'\" >&2; exit 1"),
      /Cannot find module/,
      /not installed/,
    ],
  ];

  for (const [name, toml, cause, cure] of CHILDREN) {
    test(`child, ${name}`, TIMEOUT, async () => {
      await using broken = setUp(toml);
      const words = name.startsWith("stdout") ? ["--timeout", "1s"] : [];

      const found = await broken.diagnose(words);

      assertTold(found, { section: "backend", name: "one", cause, cure });
    });
  }

  test("server gone, the port is named", TIMEOUT, async () => {
    const port = await freePort();
    await using broken = setUp(`[backends.one]\nurl = "http://127.0.0.1:${port}/mcp"\n`);

    const found = await broken.diagnose();

    const cure = new RegExp(`start the server.*127\\.0\\.0\\.1:${port}`);
    assertTold(found, { section: "backend", name: "one", cause: /connection refused/, cure });
  });

  test("server wants a sign-in, a header is shown", TIMEOUT, async () => {
    await using server = await serve((_request, response) => response.writeHead(401).end());
    await using broken = setUp(`[backends.one]\nurl = "${server.url}/mcp"\n`);

    const found = await broken.diagnose();

    const cure = /headers = \{ Authorization = "Bearer \$\{env:ONE_TOKEN\}" \}/;
    assertTold(found, { section: "backend", name: "one", cause: /status 401/, cure });
  });

  test("server refuses the token, the header is named and no token shown", TIMEOUT, async () => {
    await using server = await serve((request, response) => {
      response.writeHead(403).end(`bad: ${request.headers.authorization}`);
    });
    const headers = 'headers = { Authorization = "Bearer ${env:SECRET_OF_ONE}" }';
    await using broken = setUp(`[backends.one]\nurl = "${server.url}/mcp"\n${headers}\n`);

    const found = await broken.diagnose([], { env: { SECRET_OF_ONE: "hush-hush-4711" } });

    assertTold(found, {
      section: "backend",
      name: "one",
      cause: /status 403/,
      cure: /does not take the value of Authorization/,
    });
    assert.ok(!found.out.includes("hush-hush-4711"));
  });

  test("wrong path, the right one is found", TIMEOUT, async () => {
    await using server = await serve(toolServer({ names: ["echo"] }));
    await using broken = setUp(`[backends.one]\nurl = "${server.url}/nowhere"\n`);

    const found = await broken.diagnose();

    const cure = new RegExp(`write {2}url = "${server.url}/mcp" {2}in \\[backends\\.one\\]`);
    assertTold(found, { section: "backend", name: "one", cause: /status 404/, cure });
  });

  test("web page instead of a server, the path is doubted", TIMEOUT, async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<html>hello</html>");
    });
    await using broken = setUp(`[backends.one]\nurl = "${server.url}/mcp"\n`);

    const found = await broken.diagnose();

    assertTold(found, { section: "backend", name: "one", cause: /./, cure: /correct/ });
  });
});

describe("doctor finds the variable that a process misses", () => {
  const SAID: readonly (readonly [string, string | undefined])[] = [
    ["Missing required environment variable: GITHUB_TOKEN", "GITHUB_TOKEN"],
    ["KeyError: 'OPENAI_API_KEY'", "OPENAI_API_KEY"],
    ["panic: SLACK_BOT_TOKEN must be set", "SLACK_BOT_TOKEN"],
    ["please set the DB_URL", "DB_URL"],
    ["ERR_MODULE_NOT_FOUND: not found", undefined],
    ["STARTED_WELL and listening", undefined],
  ];

  test("in the words of many programs, and in none of others", TIMEOUT, async () => {
    const children = SAID.map(([said], index) =>
      shellBackend(`b${index}`, `echo "${said}" >&2; exit 1`)
    );
    await using broken = setUp(children.join(""));

    const found = await broken.diagnose();

    const named = found.of("backend").map(({ cure = "" }) => /\$\{env:(\w+)\}/.exec(cure)?.[1]);
    assert.deepEqual(named, SAID.map(([, name]) => name));
  });
});

describe("doctor names cause and cure of broken certificates", () => {
  let authority: Authority;

  before(() => {
    authority = new Authority();
  });

  after(() => authority.remove());

  test("backend with a certificate that expired", TIMEOUT, async () => {
    const certificate = authority.issue({ subject: "/CN=localhost", use: "server", days: -1 });
    await using server = await serve((_request, response) => response.end(), certificate);
    await using broken = setUp(`[backends.one]\nurl = "${server.url}/mcp"\n`);

    const found = await broken.diagnose();

    const cause = /certificate expired \d{4}-\d\d-\d\d/;
    assertTold(found, { section: "backend", name: "one", cause, cure: /renewed/ });
  });

  test("backend with a certificate of an unknown authority", TIMEOUT, async () => {
    const certificate = authority.issue({ subject: "/CN=localhost", use: "server" });
    await using server = await serve((_request, response) => response.end(), certificate);
    await using broken = setUp(`[backends.one]\nurl = "${server.url}/mcp"\n`);

    const found = await broken.diagnose();

    const cure = /NODE_EXTRA_CA_CERTS/;
    assertTold(found, { section: "backend", name: "one", cause: /certificate/, cure });
  });
});
