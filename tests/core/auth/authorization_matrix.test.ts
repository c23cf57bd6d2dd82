/** Every method, on every front, for every kind of caller, against a table that is written down here. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { METHODS } from "../../../src/core/call/methods.ts";
import { startCore, type TestCore } from "../../support/core.ts";
import type { Rpc } from "../../support/http_session.ts";
import { proves } from "../../support/proves.ts";
import { type RecordingBackend, startRecordingBackend } from "../../support/recording_backend.ts";
import { type Client, FRONTS, openClient, SIGN_IN, tokenFor } from "./clients.ts";

const ROLES = {
  default: { tools: ["*__open"] },
  alpha: { tools: ["a__*"], prompts: ["a__*"], resources: ["a://*"] },
  beta: { tools: ["b__*"], prompts: ["b__*"], resources: ["b://*"], deny: ["*__danger"] },
};

/** Roles in the token; undefined: sign-in is off. */
const CALLERS: Readonly<Record<string, readonly string[] | undefined>> = {
  "without sign-in": undefined,
  "with no role": [],
  "with a role that is not defined": ["gamma"],
  "with role alpha": ["alpha"],
  "with role beta": ["beta"],
  "with both": ["alpha", "beta"],
};

const NAMES = ["open", "work", "danger"];
const ALL = ["a", "b"];

/** What there is to list and to call, by kind, in the order of the catalog. */
const EVERYTHING = {
  tool: ALL.flatMap((backend) => NAMES.map((name) => `${backend}__${name}`)),
  prompt: ALL.map((backend) => `${backend}__ask`),
  resource: ALL.map((backend) => `${backend}://doc`),
  template: ALL.map((backend) => `${backend}://item/{id}`),
};
type Kind = keyof typeof EVERYTHING;

/** Which of it each caller sees and may call: the one table. */
const SEES: Readonly<Record<string, Readonly<Record<Kind, readonly string[]>>>> = {
  "without sign-in": EVERYTHING,
  "with no role": { tool: ["a__open", "b__open"], prompt: [], resource: [], template: [] },
  "with a role that is not defined": {
    tool: ["a__open", "b__open"],
    prompt: [],
    resource: [],
    template: [],
  },
  "with role alpha": {
    tool: ["a__open", "a__work", "a__danger"],
    prompt: ["a__ask"],
    resource: ["a://doc"],
    template: ["a://item/{id}"],
  },
  "with role beta": {
    tool: ["b__open", "b__work"],
    prompt: ["b__ask"],
    resource: ["b://doc"],
    template: ["b://item/{id}"],
  },
  "with both": {
    tool: ["a__open", "a__work", "b__open", "b__work"],
    prompt: ["a__ask", "b__ask"],
    resource: ["a://doc", "b://doc"],
    template: ["a://item/{id}", "b://item/{id}"],
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

/** A name no backend has, as long as the one it stands for. */
function unknownFor(name: string): string {
  return name.replace(/^[ab]/, "z");
}

/** The answer without what differs between any two calls. */
function plain(answer: Rpc, name: string): string {
  const text = JSON.stringify({ ...answer, id: 0 }).replace(/"request":"[^"]+"/, "");
  return text.replaceAll(name, "NAME").replaceAll(name.replace("{id}", "7"), "NAME");
}

describe("authorization", () => {
  const backends: RecordingBackend[] = [];
  const gateways: TestCore[] = [];

  before(async () => {
    for (const name of ALL) backends.push(await startRecordingBackend(name));
    const config = {
      backends: Object.fromEntries(ALL.map((name, at) => [name, { url: backends[at]?.url }])),
      roles: ROLES,
    };
    gateways.push(await startCore(config), await startCore({ ...config, auth: SIGN_IN }));
  });
  after(async () => {
    for (const part of gateways) await part.stop();
    for (const backend of backends) await backend.close();
  });

  async function clientOf(front: (typeof FRONTS)[number], caller: string): Promise<Client> {
    const roles = CALLERS[caller];
    const gateway = gateways[roles === undefined ? 0 : 1] as TestCore;
    const token = roles === undefined ? undefined : await tokenFor(caller, roles);
    return await openClient(gateway.core, front, token);
  }

  function reached(): number {
    return backends.reduce((sum, backend) => sum + backend.reached.length, 0);
  }

  interface Call {
    readonly method: string;
    readonly probe: Probe;
    readonly name: string;
  }

  async function checkAllowed(client: Client, { method, probe, name }: Call): Promise<void> {
    const before = reached();
    const answer = await client.request(method, probe.params(name));
    assert.equal(answer["error"], undefined, `${method} ${name}`);
    if (probe.counted !== true) assert.equal(reached(), before + 1, `${method} ${name}`);
  }

  /** Hidden and unknown are one answer, and no backend hears of it. */
  async function checkHidden(client: Client, { method, probe, name }: Call): Promise<void> {
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

  async function checkCell(client: Client, caller: string, method: string): Promise<void> {
    const cell = CELLS[method] as Cell;
    const sees = SEES[caller] as (typeof SEES)[string];
    if ("open" in cell) {
      assert.deepEqual((await client.request(method, cell.open))["result"], {}, method);
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
    assert.deepEqual(Object.keys(CELLS).toSorted(), [...METHODS.keys()].toSorted());
    assert.deepEqual(Object.keys(SEES), Object.keys(CALLERS));
  });

  for (const front of FRONTS) {
    for (const caller of Object.keys(CALLERS)) {
      proves(
        ["G4.3", "G4.4", "G4.5"],
        `over ${front} shows and serves what the table says: a caller ${caller}`,
        async () => {
          const client = await clientOf(front, caller);
          for (const method of METHODS.keys()) await checkCell(client, caller, method);
          await client.close();
        },
      );
    }
  }

  for (const front of FRONTS) {
    it(`over ${front} begins with capabilities and instructions of visible backends`, async () => {
      const seen = async (caller: string) => {
        const client = await clientOf(front, caller);
        const { result } = client.initialized;
        await client.close();
        return result as { readonly instructions?: string };
      };
      const both = "## a\n\nInstructions of a.\n\n## b\n\nInstructions of b.";
      assert.equal((await seen("without sign-in")).instructions, both);
      assert.equal((await seen("with both")).instructions, both);
      assert.equal((await seen("with role beta")).instructions, "## b\n\nInstructions of b.");
    });
  }
});
