/** Certificates for tests, made by `openssl`: authorities, and what they issue. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** PEM texts and the files they stand in. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface IssueOptions {
  /** As `openssl -subj` takes it: `/O=Example/CN=anna`. */
  readonly subject: string;
  readonly use: "server" | "client";
  /** Negative: expired. Default: 2. */
  readonly days?: number;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const EXTENSIONS = {
  server: "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n",
  client: "extendedKeyUsage=clientAuth\n",
};

/** A certificate authority with a folder of its own. */
export class Authority {
  readonly folder: string;
  readonly root: Certificate;
  #issued = 0;

  constructor(subject = "/CN=test authority") {
    this.folder = mkdtempSync(join(tmpdir(), "sentinel-ca-"));
    const { certFile, keyFile } = this.#files("ca");
    openssl("req", "-x509", ...NEW_KEY, "-keyout", keyFile, "-out", certFile, "-subj", subject);
    this.root = readCertificate(certFile, keyFile);
  }

  issue({ subject, use, days = 2 }: IssueOptions): Certificate {
    const { certFile, keyFile, request, extensions } = this.#files(`${use}-${this.#issued++}`);
    openssl("req", "-new", ...NEW_KEY, "-keyout", keyFile, "-out", request, "-subj", subject);
    writeFileSync(extensions, EXTENSIONS[use]);
    const signer = ["-CA", this.root.certFile, "-CAkey", this.root.keyFile, "-CAcreateserial"];
    const kind = ["-extfile", extensions, "-days", String(days)];
    openssl("x509", "-req", "-in", request, "-out", certFile, ...signer, ...kind);
    return readCertificate(certFile, keyFile);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #files(name: string) {
    const file = (ending: string) => join(this.folder, `${name}.${ending}`);
    return {
      certFile: file("crt"),
      keyFile: file("key"),
      request: file("csr"),
      extensions: file("ext"),
    };
  }
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}

function readCertificate(certFile: string, keyFile: string): Certificate {
  const cert = readFileSync(certFile, "utf8");
  return { cert, key: readFileSync(keyFile, "utf8"), certFile, keyFile };
}
