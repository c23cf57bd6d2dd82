/** A data plane with TLS, and certificates that change under it. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { type Listener, serve } from "../../../src/hosts/serve.ts";
import { loadTls } from "../../../src/hosts/tls/files.ts";
import { CertificateRenewal } from "../../../src/hosts/tls/renewal.ts";
import { until } from "../../scenarios/until.ts";
import { Authority, type Certificate } from "../../support/certificates.ts";
import { fixtureBackend, type LoggedEvent, startCore, type TestCore } from "../../support/core.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { WebSocketClient } from "../../support/websocket_client.ts";

const LIMIT_MS = 10_000;
const LOOK_MS = 5000;
const PATIENCE_MS = 20_000;

describe("certificates of a TLS listener", () => {
  let authority: Authority;
  let gateway: TestCore;
  let listener: Listener;
  let renewal: CertificateRenewal;
  const clock = new FakeClock();
  const log: LoggedEvent[] = [];
  const folder = mkdtempSync(join(tmpdir(), "sentinel-tls-"));
  const paths = { cert: join(folder, "now/tls.crt"), key: join(folder, "now/tls.key") };

  /** Swaps the link that the files are reached through, as Kubernetes does. */
  function mount(name: string, { certFile, keyFile }: { certFile: string; keyFile: string }): void {
    mkdirSync(join(folder, name));
    copyFileSync(certFile, join(folder, name, "tls.crt"));
    copyFileSync(keyFile, join(folder, name, "tls.key"));
    symlinkSync(name, join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "now"));
  }

  const issue = (name: string, days = 30): Certificate =>
    authority.issue({ subject: `/CN=${name}`, use: "server", days });

  before(async () => {
    authority = new Authority();
    mount("first", issue("first"));
    gateway = await startCore({ backends: { own: fixtureBackend() } });
    const loaded = await loadTls(paths, "server.tls");
    const { fetch, handle } = gateway.core;
    const bounds = { hostname: "127.0.0.1", port: 0, maxBodyBytes: 65_536 };
    listener = await serve({ ...bounds, fetch, handle, tls: loaded, clock });
    renewal = new CertificateRenewal({
      listener: "server",
      paths,
      loaded,
      clock: { ...bound(clock), now: () => Date.now() },
      log: { write: (event, fields = {}) => void log.push({ event, fields }) },
      renew: (files) => listener.renew?.(files),
    });
  });
  after(async () => {
    renewal.stop();
    await gateway.stop();
    const closed = listener.close();
    listener.abort();
    await closed;
    authority.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Name in the certificate a new connection is shown. */
  async function shown(): Promise<unknown> {
    const socket: TLSSocket = connect({
      port: listener.port,
      host: "127.0.0.1",
      servername: "localhost",
      ca: authority.root.cert,
    });
    await new Promise((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
    });
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  }

  async function logged(event: string): Promise<LoggedEvent> {
    return await until(async () => {
      await clock.advance(LOOK_MS);
      const found = log.find((entry) => entry.event === event);
      assert.ok(found !== undefined);
      return found;
    }, LIMIT_MS);
  }

  it("a new pair is for new connections; an open WebSocket goes on with the old one", async () => {
    assert.equal(await shown(), "first");
    const url = `wss://127.0.0.1:${listener.port}/ws`;
    const client = await WebSocketClient.open(url, { ca: authority.root.cert });
    await client.initialize();
    mount("second", issue("second"));
    const { fields } = await logged("tls.renewed");
    assert.deepEqual([fields["listener"], fields["names"]], ["server", ["localhost", "127.0.0.1"]]);
    assert.equal(await shown(), "second");
    assert.deepEqual((await client.request(1, "ping"))["result"], {});
    client.destroy();
    await until(() => assert.equal([...gateway.core.control.sessions(0)].length, 0), LIMIT_MS);
  });

  it("a pair that is half written is waited out", async () => {
    log.length = 0;
    const third = issue("third");
    copyFileSync(third.certFile, paths.cert);
    await clock.advance(LOOK_MS);
    assert.equal(await shown(), "second");
    copyFileSync(third.keyFile, paths.key);
    await logged("tls.renewed");
    assert.equal(await shown(), "third");
    assert.deepEqual(log.filter(({ event }) => event === "tls.rejected"), []);
  });

  it("what stays unusable is told once, and the pair before goes on", async () => {
    log.length = 0;
    copyFileSync(issue("fourth").certFile, paths.cert);
    const { fields } = await logged("tls.rejected");
    assert.match(String(fields["reason"]), /server\.tls\.key.*does not belong/);
    await clock.advance(PATIENCE_MS);
    assert.equal(log.filter(({ event }) => event === "tls.rejected").length, 1);
    assert.equal(await shown(), "third");
    mount("fifth", issue("fifth"));
    await logged("tls.renewed");
    assert.equal(await shown(), "fifth");
  });

  it("a certificate that has expired is not taken", async () => {
    log.length = 0;
    mount("sixth", issue("sixth", -1));
    const { fields } = await logged("tls.rejected");
    assert.match(String(fields["reason"]), /expired/);
    assert.equal(await shown(), "fifth");
  });
});

/** The methods of a clock, to be mixed with others. */
function bound(clock: FakeClock) {
  return {
    monotonic: () => clock.monotonic(),
    after: (ms: number, run: () => void) => clock.after(ms, run),
    every: (ms: number, run: () => void) => clock.every(ms, run),
  };
}
