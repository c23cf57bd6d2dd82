import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { ManagedGateway } from "../../proofs/managed_gateway.ts";
import { Authority } from "../../support/certificates.ts";
import { RedisServer } from "../../support/redis.ts";
import { freePort } from "../../support/server_process.ts";
import { open } from "./support.ts";

describe("Redis behind TLS", { timeout: 60_000 }, () => {
  let authority: Authority;
  let server: RedisServer;
  let url: string;

  before(async () => {
    authority = new Authority();
    const { certFile, keyFile } = authority.issue({ subject: "/CN=localhost", use: "server" });
    const port = String(await freePort());
    server = await RedisServer.start({
      settings: {
        "tls-port": port,
        "tls-cert-file": certFile,
        "tls-key-file": keyFile,
        "tls-ca-cert-file": authority.root.certFile,
        "tls-auth-clients": "no",
      },
    });
    url = `rediss://localhost:${port}`;
  });
  after(async () => {
    await server.stop();
    authority.remove();
  });

  it("is not used when nobody vouches for it", async (t) => {
    const replicas = await open(url);
    t.after(() => replicas.close());
    assert.match(replicas.failure ?? "", /certificate/i);
    await assert.rejects(replicas.take("k", { count: 1, perMs: 1000, burst: 1 }));
  });

  it("is used by a gateway that knows who vouches for it", async () => {
    // Runtimes read it when they start.
    process.env["NODE_EXTRA_CA_CERTS"] = authority.root.certFile;
    const gateway = await ManagedGateway.start({
      audit: { store: "off" },
      sessions: { store: "redis", url },
    }).finally(() => delete process.env["NODE_EXTRA_CA_CERTS"]);
    try {
      const { stores } = (await gateway.ask("/status")).body;
      assert.deepEqual(stores.at(-1), { name: "shared", kind: "redis", ok: true });
    } finally {
      await gateway.remove();
    }
  });
});
