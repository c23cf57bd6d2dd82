/** The certificate a server shows, whether it is trusted or not. */
import { isIP } from "node:net";
import { connect } from "node:tls";

/** Wall time, milliseconds since 1970. */
export interface ShownCertificate {
  readonly validFrom: number;
  readonly validTo: number;
}

/** Undefined when it shows none, or none that can be read. Nothing is sent but the greeting. */
export function certificateAt(
  url: URL,
  signal: AbortSignal,
): Promise<ShownCertificate | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const name = isIP(host) === 0 ? { servername: host } : {};
  const port = url.port === "" ? 443 : Number(url.port);
  return new Promise((resolve) => {
    // Not verified on purpose: nothing is said over it, and what is wrong with it is what is asked.
    const socket = connect({ host, port, rejectUnauthorized: false, ...name }, () => {
      const { valid_from: from, valid_to: to } = socket.getPeerCertificate();
      socket.destroy();
      const [validFrom, validTo] = [Date.parse(from ?? ""), Date.parse(to ?? "")];
      resolve(Number.isNaN(validTo) ? undefined : { validFrom, validTo });
    });
    socket.once("error", () => resolve(undefined));
    signal.addEventListener("abort", () => {
      socket.destroy();
      resolve(undefined);
    }, { once: true });
  });
}

/** What is wrong with its dates at a time; undefined when nothing is. */
export function dateProblem(
  { validFrom, validTo }: ShownCertificate,
  now: number,
): string | undefined {
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  if (validTo <= now) return `certificate expired ${day(validTo)}`;
  return validFrom > now ? `certificate is valid from ${day(validFrom)} on` : undefined;
}
