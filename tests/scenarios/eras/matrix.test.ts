/** Every client with every backend through one gateway: each cell of the table. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { stringify } from "smol-toml";
import { type Gateway, startGateway } from "../../support/gateway.ts";
import { proves } from "../../support/proves.ts";
import type { Address } from "../clients.ts";
import { stopAll } from "../stop_all.ts";
import { until } from "../until.ts";
import { connectClient, type EraClient } from "./clients.ts";
import { type Peer, type PeerKind, startPeer } from "./peers.ts";
import { type Cells, runRows } from "./rows.ts";
import {
  BACKEND_NAMES,
  type BackendName,
  BACKENDS,
  CLIENT_NAMES,
  type ClientName,
  CLIENTS,
  expected,
  ROW_NAMES,
} from "./table.ts";

const START_MS = 20_000;
const TIMEOUT = { timeout: 90_000 };

describe("both eras on both sides", () => {
  const peers = new Map<BackendName, Peer>();
  let folder: string;
  let gateway: Gateway;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "eras-"));
    await Promise.all(BACKEND_NAMES.map(async (name) => {
      peers.set(name, await startPeer(name, BACKENDS[name] as PeerKind, folder));
    }));
    const backends = BACKEND_NAMES.map((
      name,
    ) => [name, configOf(name, (peers.get(name) as Peer).address)]);
    gateway = await startGateway(stringify({ backends: Object.fromEntries(backends) }));
  }, TIMEOUT);

  after(async () => {
    await stopAll([
      gateway?.stop,
      ...[...peers.values()].map(({ stop }) => stop),
      () => rm(folder, { recursive: true, force: true }),
    ]);
  });

  // Backends side by side, clients one after the other: they would disturb each other on a process that all
  // share. Modern ones first: a backend stays as talkative as a legacy one has once made it.
  for (const client of CLIENT_NAMES.toReversed()) {
    describe(CLIENTS[client].text, () => {
      let found: ReadonlyMap<BackendName, Cells>;

      before(async () => {
        const runs = BACKEND_NAMES.map(async (name) =>
          [name, await runPair(client, name)] as const
        );
        found = new Map(await Promise.all(runs));
      }, TIMEOUT);

      for (const name of BACKEND_NAMES) {
        proves("X1", `with a backend that is ${BACKENDS[name].text}`, () => {
          const wanted = ROW_NAMES.map((row) => [row, expected(client, name, row)]);
          assert.deepEqual(found.get(name), Object.fromEntries(wanted));
        });
      }
    });
  }

  async function runPair(client: ClientName, backend: BackendName): Promise<Cells> {
    const connected: EraClient[] = [];
    const connect = async () => {
      const one = await connectClient(client, { http: gateway.url });
      connected.push(one);
      return one;
    };
    try {
      const own = await connect();
      await until(() => assertListed(own, backend), START_MS);
      return await runRows({
        key: `${client.replace(" ", "-")}-${backend}`,
        client: own,
        peer: peers.get(backend) as Peer,
        prefix: `${backend}__`,
        another: connect,
        expected: (row) => expected(client, backend, row),
      });
    } catch (cause) {
      return { none: String(cause) };
    } finally {
      await stopAll(connected.map((one) => () => one.leave()));
    }
  }
});

async function assertListed(client: EraClient, backend: BackendName): Promise<void> {
  const names = await client.toolNames();
  assert.ok(names.includes(`${backend}__echo`), `${backend} lists nothing`);
}

/** The gateway finds out era and transport by itself. */
function configOf(name: BackendName, address: Address): Record<string, unknown> {
  const settings = BACKENDS[name];
  const own = "instances" in settings ? { instances: settings.instances } : {};
  if ("http" in address) return { url: address.http, ...own };
  if ("sse" in address) return { url: address.sse, ...own };
  const { command, args, env } = address;
  return { command, args: [...args], env: { ...env }, ...own };
}
