/** Certificate, key and client authority from their files, checked before anything listens. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { SentinelError } from "../../contract/mod.ts";
import type { TlsFiles } from "../serve.ts";

/** Paths, as a TLS section of the configuration has them. */
export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly client_ca?: string | undefined;
}

export interface LoadedTls extends TlsFiles {
  /** Host names and addresses the certificate is for; no wildcards. */
  readonly names: readonly string[];
  /** Wall time, milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * @param section where the paths stand, such as `management.tls`
 * @throws SentinelError CONFIG_INVALID that names the key, the file and what is wrong with it
 */
export async function loadTls(paths: TlsPaths, section: string): Promise<LoadedTls> {
  const text = (key: "cert" | "key" | "client_ca", path: string) =>
    readFile(path, "utf8").catch((thrown: NodeJS.ErrnoException) => {
      const reason = thrown.code === "ENOENT" ? "no such file" : thrown.message;
      throw unusable(`${section}.${key}`, path, { reason, cause: thrown });
    });
  const cert = await text("cert", paths.cert);
  const key = await text("key", paths.key);
  const own = certificateIn(cert, `${section}.cert`, paths.cert);
  if (!own.checkPrivateKey(keyIn(key, `${section}.key`, paths.key))) {
    const reason = `it does not belong to the certificate in "${paths.cert}"`;
    throw unusable(`${section}.key`, paths.key, { reason });
  }
  const facts = { names: namesOf(own), expiresAt: own.validToDate.getTime() };
  if (paths.client_ca === undefined) return { cert, key, ...facts };
  const clientCa = await text("client_ca", paths.client_ca);
  certificateIn(clientCa, `${section}.client_ca`, paths.client_ca);
  return { cert, key, clientCa, ...facts };
}

function certificateIn(text: string, key: string, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw unusable(key, path, { reason: "it holds no certificate in PEM form", cause });
  }
}

function keyIn(text: string, key: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const reason = /ENCRYPTED/.test(text)
      ? "the private key is encrypted; decrypt it with  openssl pkey"
      : "it holds no private key in PEM form";
    throw unusable(key, path, { reason, cause });
  }
}

/** `DNS:localhost, IP Address:127.0.0.1` as names. */
function namesOf({ subjectAltName = "" }: X509Certificate): string[] {
  const found = [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)];
  return found.map(([, name = ""]) => name).filter((name) => !name.includes("*"));
}

interface Why {
  readonly reason: string;
  readonly cause?: unknown;
}

function unusable(key: string, path: string, { reason, cause }: Why): SentinelError {
  const message = `Cannot use ${key} = "${path}": ${reason}`;
  return new SentinelError("CONFIG_INVALID", message, { more: { issues: [] } }, cause);
}
