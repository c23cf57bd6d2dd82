/** Every method, on every front, for every kind of caller, against a table that is written down here. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { METHODS } from "../../../src/core/call/methods.ts";
import { startCore, type TestCore } from "../../support/core.ts";
import { type Endpoint, ENDPOINTS } from "../../../src/core/front/endpoints.ts";
import { LEGACY_REVISIONS } from "../../../src/core/mcp/revisions.ts";
import { BASE, HEADERS, type Rpc } from "../../support/http_session.ts";
import { PipeClient } from "../../support/pipe_client.ts";
import { proves } from "../../support/proves.ts";
import { type RecordingBackend, startRecordingBackend } from "../../support/recording_backend.ts";
import { seeded } from "../catalog/support.ts";
import {
  type Client,
  type Front,
  FRONTS,
  MODERN_FRONTS,
  type ModernFront,
  openClient,
  openModernClient,
  SIGN_IN,
  type TokenFlaws,
  tokenFor,
} from "./clients.ts";

const SEED = Math.floor(Math.random() * 2 ** 32);
const random = seeded(SEED);
const words = new Set<string>();
/** A name nothing else has in this run; all are of one length. */
function word(): string {
  const before = words.size;
  for (;;) {
    const letters = Array.from({ length: 6 }, () => Math.floor(random() * 26) + 97);
    const made = String.fromCharCode(...letters);
    if (words.add(made).size > before) return made;
  }
}

const [A, B, NOWHERE] = [word(), word(), word()];
const [ALPHA, BETA, GAMMA] = [word(), word(), word()];
const [OPEN, WORK, DANGER] = [word(), word(), word()];
const TOOLSET = word();

const ROLES = {
  default: { tools: [`*__${OPEN}`] },
  [ALPHA]: { tools: [`${A}__*`], prompts: [`${A}__*`], resources: [`${A}://*`] },
  [BETA]: {
    tools: [`${B}__*`],
    prompts: [`${B}__*`],
    resources: [`${B}://*`],
    deny: [`*__${DANGER}`],
  },
};

/** Roles in the token; undefined: sign-in is off. */
const CALLERS: Readonly<Record<string, readonly string[] | undefined>> = {
  "without sign-in": undefined,
  "with no role": [],
  "with a role that is not defined": [GAMMA],
  "with role alpha": [ALPHA],
  "with role beta": [BETA],
  "with both": [ALPHA, BETA],
};

const NAMES = [OPEN, WORK, DANGER];
const ALL = [A, B];

/** What there is to list and to call, by kind, in the order of the catalog. */
const EVERYTHING = {
  tool: ALL.flatMap((backend) => NAMES.map((name) => `${backend}__${name}`)),
  prompt: ALL.map((backend) => `${backend}__ask`),
  resource: ALL.map((backend) => `${backend}://doc`),
  template: ALL.map((backend) => `${backend}://item/{id}`),
};
type Kind = keyof typeof EVERYTHING;

const ONLY_OPEN = {
  tool: [`${A}__${OPEN}`, `${B}__${OPEN}`],
  prompt: [],
  resource: [],
  template: [],
};

/** Which of it each caller sees and may call: the one table. */
const SEES: Readonly<Record<string, Readonly<Record<Kind, readonly string[]>>>> = {
  "without sign-in": EVERYTHING,
  "with no role": ONLY_OPEN,
  "with a role that is not defined": ONLY_OPEN,
  "with role alpha": {
    tool: [`${A}__${OPEN}`, `${A}__${WORK}`, `${A}__${DANGER}`],
    prompt: [`${A}__ask`],
    resource: [`${A}://doc`],
    template: [`${A}://item/{id}`],
  },
  "with role beta": {
    tool: [`${B}__${OPEN}`, `${B}__${WORK}`],
    prompt: [`${B}__ask`],
    resource: [`${B}://doc`],
    template: [`${B}://item/{id}`],
  },
  "with both": {
    tool: [`${A}__${OPEN}`, `${A}__${WORK}`, `${B}__${OPEN}`, `${B}__${WORK}`],
    prompt: [`${A}__ask`, `${B}__ask`],
    resource: [`${A}://doc`, `${B}://doc`],
    template: [`${A}://item/{id}`, `${B}://item/{id}`],
  },
};

/** Credentials that are worth nothing; undefined: none at all. */
const WORTHLESS: Readonly<Record<string, TokenFlaws | string | undefined>> = {
  "no token": undefined,
  "a word": "token",
  "an expired token": { lifetime: -3600 },
  "a token for another audience": { audience: "https://other.test" },
  "a token of another issuer": { issuer: "https://elsewhere.test" },
  "a token signed by somebody else": { secret: "f".repeat(32) },
};

const HTTP_METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"] as const;
const STREAMABLE = { GET: 400, POST: 400, DELETE: 400 };

interface Place {
  readonly path: string;
  /** Status for a caller with a token but without a session; 405 for every other method. */
  readonly statuses: Readonly<Partial<Record<(typeof HTTP_METHODS)[number], number>>>;
  /** Needs no token. */
  readonly open?: true;
}

/** What each path does. A path that is missing here does not compile. */
const PLACES: Readonly<Record<Endpoint, Place>> = {
  mcp: { path: "/mcp", statuses: STREAMABLE },
  toolset: { path: `/mcp/${TOOLSET}`, statuses: STREAMABLE },
  sse: { path: "/sse", statuses: { GET: 200 } },
  messages: { path: "/messages/", statuses: { POST: 404 } },
  websocket: { path: "/ws", statuses: { GET: 426 } },
  health: { path: "/health", statuses: { GET: 200, HEAD: 200 }, open: true },
  ready: { path: "/ready", statuses: { GET: 200, HEAD: 200 }, open: true },
  metadata: {
    path: "/.well-known/oauth-protected-resource/mcp",
    statuses: { GET: 200 },
    open: true,
  },
};

interface Probe {
  readonly kind: Kind;
  readonly params: (name: string) => unknown;
  /** Each call is seen by the backend; subscriptions of several callers are one. */
  readonly counted?: boolean;
}

type Cell =
  /** Answered alike for everybody. */
  | { readonly open: unknown }
  /** Answered for everybody, with this member. */
  | { readonly announces: string }
  /** Refused to everybody. */
  | { readonly refuses: unknown }
  | { readonly lists: Kind; readonly member: string; readonly key: string }
  | { readonly calls: readonly Probe[] };

const ref = (type: string, key: string) => (name: string) => ({
  ref: { type, [key]: name },
  argument: { name: "id", value: "" },
});
const byName = (name: string) => ({ name, arguments: {} });
const byUri = (uri: string) => ({ uri });
const anItem = (template: string) => ({ uri: template.replace("{id}", "7") });

/** What each method does for a caller. A method that is missing here fails. */
const CELLS: Readonly<Record<string, Cell>> = {
  "ping": { open: undefined },
  "logging/setLevel": { open: { level: "error" } },
  "tools/list": { lists: "tool", member: "tools", key: "name" },
  "prompts/list": { lists: "prompt", member: "prompts", key: "name" },
  "resources/list": { lists: "resource", member: "resources", key: "uri" },
  "resources/templates/list": {
    lists: "template",
    member: "resourceTemplates",
    key: "uriTemplate",
  },
  "tools/call": { calls: [{ kind: "tool", params: byName }] },
  "prompts/get": { calls: [{ kind: "prompt", params: byName }] },
  "resources/read": {
    calls: [{ kind: "resource", params: byUri }, { kind: "template", params: anItem }],
  },
  "completion/complete": {
    calls: [
      { kind: "prompt", params: ref("ref/prompt", "name") },
      { kind: "template", params: ref("ref/resource", "uri") },
      { kind: "resource", params: ref("ref/resource", "uri") },
    ],
  },
  "resources/subscribe": {
    calls: [
      { kind: "resource", params: byUri, counted: true },
      { kind: "template", params: anItem, counted: true },
    ],
  },
  "resources/unsubscribe": {
    calls: [
      { kind: "resource", params: byUri, counted: true },
      { kind: "template", params: anItem, counted: true },
    ],
  },
};

const TASK = { refuses: { taskId: "t" } };

/** The same for callers without a session. A method that is missing here fails. */
const MODERN_CELLS: Readonly<Record<string, Cell>> = {
  "server/discover": { announces: "capabilities" },
  ...Object.fromEntries(
    Object.entries(CELLS).filter(([method]) =>
      !["ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"].includes(method)
    ),
  ),
  // Whoever did not begin the task, which is everybody here.
  "tasks/get": TASK,
  "tasks/update": TASK,
  "tasks/cancel": TASK,
};

/** A name no backend has, as long as the one it stands for. */
function unknownFor(name: string): string {
  return name.replaceAll(A, NOWHERE).replaceAll(B, NOWHERE);
}

/** The answer without what differs between any two calls. */
function plain(answer: Rpc, name: string): string {
  const text = JSON.stringify({ ...answer, id: 0 }).replace(/"request":"[^"]+"/, "");
  return text.replaceAll(name, "NAME").replaceAll(name.replace("{id}", "7"), "NAME");
}

function credentialOf(flaws: TokenFlaws | string | undefined): Promise<string | undefined> {
  if (flaws === undefined || typeof flaws === "string") return Promise.resolve(flaws);
  return tokenFor(word(), [ALPHA, BETA], flaws);
}

describe(`authorization (seed ${SEED})`, () => {
  const backends: RecordingBackend[] = [];
  const gateways: TestCore[] = [];

  before(async () => {
    for (const name of ALL) backends.push(await startRecordingBackend(name, NAMES));
    const config = {
      backends: Object.fromEntries(ALL.map((name, at) => [name, { url: backends[at]?.url }])),
      roles: ROLES,
      toolsets: { [TOOLSET]: { tools: ["*"] } },
    };
    gateways.push(await startCore(config), await startCore({ ...config, auth: SIGN_IN }));
  });
  after(async () => {
    for (const part of gateways) await part.stop();
    for (const backend of backends) await backend.close();
  });

  async function clientOf(front: Front, caller: string, revision?: string): Promise<Client> {
    const roles = CALLERS[caller];
    const gateway = gateways[roles === undefined ? 0 : 1] as TestCore;
    const token = roles === undefined ? undefined : await tokenFor(caller, roles);
    return await openClient(gateway.core, front, { token, revision });
  }

  async function modernOf(front: ModernFront, caller: string) {
    const roles = CALLERS[caller];
    const gateway = gateways[roles === undefined ? 0 : 1] as TestCore;
    const token = roles === undefined ? undefined : await tokenFor(caller, roles);
    return openModernClient(gateway.core, front, token);
  }

  function reached(): number {
    return backends.reduce((sum, backend) => sum + backend.reached.length, 0);
  }

  type Asker = Pick<Client, "request">;

  interface Call {
    readonly method: string;
    readonly probe: Probe;
    readonly name: string;
  }

  async function checkAllowed(client: Asker, { method, probe, name }: Call): Promise<void> {
    const before = reached();
    const answer = await client.request(method, probe.params(name));
    assert.equal(answer["error"], undefined, `${method} ${name}`);
    if (probe.counted !== true) assert.equal(reached(), before + 1, `${method} ${name}`);
  }

  /** Hidden and unknown are one answer, and no backend hears of it. */
  async function checkHidden(client: Asker, { method, probe, name }: Call): Promise<void> {
    const before = reached();
    const texts: string[] = [];
    for (const asked of [name, unknownFor(name)]) {
      const answer = await client.request(method, probe.params(asked));
      assert.ok(answer["error"], `${method} ${asked}`);
      texts.push(plain(answer, asked));
    }
    assert.equal(texts[0], texts[1]);
    assert.equal(reached(), before, `${method} ${name} reached a backend`);
  }

  async function checkCell(
    client: Asker,
    caller: string,
    [method, cell]: readonly [string, Cell],
  ): Promise<void> {
    const sees = SEES[caller] as (typeof SEES)[string];
    if ("open" in cell) {
      assert.deepEqual((await client.request(method, cell.open))["result"], {}, method);
    } else if ("announces" in cell) {
      assert.ok((await client.request(method))["result"][cell.announces], method);
    } else if ("refuses" in cell) {
      assert.equal((await client.request(method, cell.refuses))["error"].code, -32602, method);
    } else if ("lists" in cell) {
      const { result } = await client.request(method);
      const names = (result[cell.member] as Rpc[]).map((item) => item[cell.key] as string);
      assert.deepEqual(names, sees[cell.lists], method);
    } else {
      for (const probe of cell.calls) {
        for (const name of EVERYTHING[probe.kind]) {
          const check = sees[probe.kind].includes(name) ? checkAllowed : checkHidden;
          await check(client, { method, probe, name });
        }
      }
    }
  }

  it("is declared for every method there is", () => {
    assert.deepEqual(Object.keys(CELLS).toSorted(), [...METHODS.legacy.keys()].toSorted());
    assert.deepEqual(Object.keys(MODERN_CELLS).toSorted(), [...METHODS.modern.keys()].toSorted());
    assert.deepEqual(Object.keys(SEES), Object.keys(CALLERS));
  });

  for (const front of FRONTS) {
    for (const caller of Object.keys(CALLERS)) {
      proves(
        ["G4.3", "G4.4", "G4.5"],
        `over ${front} shows and serves what the table says: a caller ${caller}`,
        async () => {
          for (const revision of LEGACY_REVISIONS) {
            const client = await clientOf(front, caller, revision);
            assert.equal(client.initialized["result"].protocolVersion, revision);
            for (const cell of Object.entries(CELLS)) await checkCell(client, caller, cell);
            await client.close();
          }
        },
      );
    }
  }

  for (const front of MODERN_FRONTS) {
    for (const caller of Object.keys(CALLERS)) {
      proves(
        ["G4.3", "G4.4", "G4.5"],
        `over ${front}, without a session, shows and serves what the table says: a caller ${caller}`,
        async () => {
          const client = await modernOf(front, caller);
          for (const cell of Object.entries(MODERN_CELLS)) await checkCell(client, caller, cell);
          await client.close();
        },
      );
    }
  }

  proves(["G4.2"], "a request without a session needs a credential of its own", async () => {
    const client = await modernOf("streamable", "with both");
    const before = reached();
    for (const [about, flaws] of Object.entries(WORTHLESS)) {
      client.renew(await credentialOf(flaws));
      for (const method of [...METHODS.modern.keys(), "subscriptions/listen", "initialize"]) {
        assert.equal(await refusalOf(client, method), "UNAUTHENTICATED", `${method} with ${about}`);
      }
    }
    assert.equal(reached(), before);
  });

  /** A request without a session; gives the status, and ends the answer. */
  async function statusOf(method: string, path: string, headers: Record<string, string>) {
    const body = method === "POST" ? { body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' } : {};
    const init = { method, headers: { ...HEADERS, ...headers }, ...body };
    const answer = await (gateways[1] as TestCore).core.fetch(new Request(BASE + path, init));
    await answer.body?.cancel();
    return answer.status;
  }

  proves(["G4.2"], "every path × method × revision × credential has its status", async () => {
    assert.deepEqual(Object.keys(PLACES).toSorted(), ENDPOINTS.toSorted());
    const versions = [...LEGACY_REVISIONS, undefined];
    const credentials = Object.entries(WORTHLESS).concat([["a valid token", {}]]);
    for (const [about, flaws] of credentials) {
      const token = await credentialOf(flaws);
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      for (const place of Object.values(PLACES)) {
        const isServed = place.open === true || about === "a valid token";
        for (const method of HTTP_METHODS) {
          const expected = isServed ? place.statuses[method] ?? 405 : 401;
          const statuses = await Promise.all(
            versions.map((version) =>
              statusOf(method, place.path, {
                ...authorization,
                ...(version === undefined ? {} : { "mcp-protocol-version": version }),
              })
            ),
          );
          const wanted = versions.map(() => expected);
          assert.deepEqual(statuses, wanted, `${method} ${place.path} with ${about}`);
        }
      }
    }
  });

  /** The code of the error a request gets; HTTP+SSE has the status only. */
  async function refusalOf(client: Asker, method: string): Promise<string> {
    const params = { name: EVERYTHING.tool[0], uri: EVERYTHING.resource[0], level: "error" };
    try {
      return (await client.request(method, params))["error"].data.code;
    } catch (thrown) {
      return /401/.test(String(thrown)) ? "UNAUTHENTICATED" : String(thrown);
    }
  }

  for (const front of ["streamable", "sse"] as const) {
    proves(["G4.2"], `over ${front} an open session serves no worthless credential`, async () => {
      for (const revision of LEGACY_REVISIONS) {
        const client = await clientOf(front, "with both", revision);
        const before = reached();
        for (const [about, flaws] of Object.entries(WORTHLESS)) {
          client.renew(await credentialOf(flaws));
          for (const method of METHODS.legacy.keys()) {
            const text = `${method} with ${about}, ${revision}`;
            assert.equal(await refusalOf(client, method), "UNAUTHENTICATED", text);
          }
        }
        assert.equal(reached(), before);
        await client.close();
      }
    });
  }

  proves(["G4.2"], "over a pipe there is no session for a worthless credential", async () => {
    for (const [about, flaws] of Object.entries(WORTHLESS)) {
      const token = await credentialOf(flaws);
      const options = token === undefined ? {} : { token };
      const attached = (gateways[1] as TestCore).core.attach(new PipeClient(), options);
      await assert.rejects(attached, { code: "UNAUTHENTICATED" }, about);
    }
  });

  for (const front of FRONTS) {
    it(`over ${front} begins with capabilities and instructions of visible backends`, async () => {
      const seen = async (caller: string) => {
        const client = await clientOf(front, caller);
        const { result } = client.initialized;
        await client.close();
        return result as { readonly instructions?: string };
      };
      const of = (name: string) => `## ${name}\n\nInstructions of ${name}.`;
      const both = `${of(A)}\n\n${of(B)}`;
      assert.equal((await seen("without sign-in")).instructions, both);
      assert.equal((await seen("with both")).instructions, both);
      assert.equal((await seen("with role beta")).instructions, of(B));
    });
  }
});
