import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadTls } from "../../../src/hosts/tls/files.ts";
import { Authority, type Certificate } from "../../support/certificates.ts";

describe("loadTls()", () => {
  let authority: Authority;
  let server: Certificate;
  before(() => {
    authority = new Authority();
    server = authority.issue({ subject: "/CN=localhost", use: "server" });
  });
  after(() => authority.remove());

  const written = (name: string, text: string) => {
    const path = join(authority.folder, name);
    writeFileSync(path, text);
    return path;
  };

  it("reads what belongs together, and whom the certificate is for", async () => {
    const { certFile, keyFile, cert, key } = server;
    const paths = { cert: certFile, key: keyFile };
    assert.deepEqual(await loadTls(paths, "management.tls"), {
      cert,
      key,
      names: ["localhost", "127.0.0.1"],
      expiresAt: Date.parse(new X509Certificate(cert).validTo),
    });
    const mutual = await loadTls(
      { ...paths, client_ca: authority.root.certFile },
      "management.tls",
    );
    assert.equal(mutual.clientCa, authority.root.cert);
  });

  it("says which key names which file, and what is wrong with it", async () => {
    const { certFile: cert, keyFile: key } = server;
    const other = authority.issue({ subject: "/CN=other", use: "server" });
    const garbage = written("garbage.pem", "no certificate at all\n");
    const secret = join(authority.folder, "encrypted.key");
    const encrypt = ["pkey", "-in", key, "-aes256", "-passout", "pass:abcd", "-out", secret];
    execFileSync("openssl", encrypt, { stdio: "pipe" });
    const cases = [
      [{ cert: `${cert}.not`, key }, /^Cannot use t\.cert = ".*\.not": no such file$/],
      [{ cert: garbage, key }, /^Cannot use t\.cert = ".*": it holds no certificate in PEM form$/],
      [{ cert: key, key }, /^Cannot use t\.cert = ".*": it holds no certificate/],
      [{ cert, key: garbage }, /^Cannot use t\.key = ".*": it holds no private key in PEM form$/],
      [{ cert, key: secret }, /^Cannot use t\.key = ".*": the private key is encrypted/],
      [{ cert, key: other.keyFile }, /^Cannot use t\.key = ".*": it does not belong to the cert/],
      [{ cert, key, client_ca: garbage }, /^Cannot use t\.client_ca = ".*": it holds no certif/],
      [{ cert: authority.folder, key }, /^Cannot use t\.cert = ".*": .*EISDIR/],
    ] as const;
    for (const [paths, message] of cases) {
      await assert.rejects(loadTls(paths, "t"), { code: "CONFIG_INVALID", message });
    }
  });
});
