/** The peers with each other: what holds here is what the gateway has to keep between them. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { stopAll } from "../stop_all.ts";
import { connectClient, type EraClient } from "./clients.ts";
import { LEGACY_WIRES, MODERN_WIRES, type PeerKind, startPeer } from "./peers.ts";
import { type Cells, runRows } from "./rows.ts";
import { between, type ClientName, type Row, ROW_NAMES } from "./table.ts";

const TIMEOUT = { timeout: 60_000 };

interface Direct {
  readonly client: ClientName;
  readonly kind: PeerKind;
}

const PAIRS: readonly Direct[] = [
  ...LEGACY_WIRES.map((wire) => ({ client: "v1", kind: { era: "legacy", wire } } as const)),
  ...(["v2 auto", "v2 pinned"] as const).flatMap((client) =>
    MODERN_WIRES.map((wire) => ({ client, kind: { era: "modern", wire } } as const))
  ),
];

describe("the official SDKs with each other", () => {
  let folder: string;
  let found: ReadonlyMap<Direct, Cells>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "eras-direct-"));
    const runs = PAIRS.map(async (pair) => [pair, await runPair(pair, folder)] as const);
    found = new Map(await Promise.all(runs));
  }, TIMEOUT);

  after(() => rm(folder, { recursive: true, force: true }));

  for (const pair of PAIRS) {
    const { client, kind } = pair;
    it(`${client} client, ${kind.era} server over ${kind.wire}`, () => {
      const wanted = rowsOf(kind).map((row) => [row, between(client, row)]);
      assert.deepEqual(found.get(pair), Object.fromEntries(wanted));
    });
  }
});

async function runPair({ client, kind }: Direct, folder: string): Promise<Cells> {
  const key = `${client}-${kind.wire}`.replace(" ", "-");
  const peer = await startPeer(key, kind, folder);
  const connected: EraClient[] = [];
  const another = async () => {
    const one = await connectClient(client, peer.address);
    connected.push(one);
    return one;
  };
  try {
    const own = await another();
    return await runRows({
      key,
      client: own,
      peer,
      prefix: "",
      another,
      expected: (row) => between(client, row),
    }, rowsOf(kind));
  } finally {
    await stopAll([...connected.map((one) => () => one.leave()), peer.stop]);
  }
}

/** On a wire that is the session, the server ends with its client. */
function rowsOf({ wire }: PeerKind): readonly Row[] {
  return wire === "http" ? ROW_NAMES : ROW_NAMES.filter((row) => row !== "client goes away");
}
