/** Looks whether Redis can be used, without leaving anything in it. */
import type { Clock } from "../../ports/clock.ts";
import { Connection, reasonOf } from "./connection.ts";
import { sha256 } from "./digest.ts";
import { keysOf } from "./keys.ts";
import { risksOf } from "./risks.ts";

export interface RedisProbe {
  /** Of the server, such as `8.0.2`; empty when it does not tell. */
  readonly server: string;
  /** Of a write that was taken back. */
  readonly writeMs: number;
  /** Milliseconds its clock is ahead of ours; negative when it is behind. */
  readonly aheadMs: number;
  /** Settings that may lose what it is given. */
  readonly risks: readonly string[];
}

export interface RedisProbeOptions {
  readonly url: string;
  /** Name of the gateway: its keys begin with it. */
  readonly gateway: string;
  readonly clock: Clock;
}

/** @throws Error in words when it cannot be reached, read or written */
export async function probeRedis({ url, gateway, clock }: RedisProbeOptions): Promise<RedisProbe> {
  const key = `${keysOf(gateway, url, sha256).probe}:doctor`;
  const connection = await Connection.open({ url, clock, lost: () => {} }).catch((cause) => {
    throw new Error(reasonOf(cause), { cause });
  });
  try {
    const startedAt = clock.monotonic();
    await connection.run(["SET", key, "1", "PX", "10000"]);
    await connection.run(["DEL", key]);
    const writeMs = clock.monotonic() - startedAt;
    const aheadMs = timeIn(await connection.run(["TIME"])) - clock.now();
    return {
      server: await serverOf(connection),
      writeMs,
      aheadMs,
      risks: await risksOf(connection),
    };
  } catch (cause) {
    throw new Error(reasonOf(cause), { cause });
  } finally {
    connection.drop("it was only looked at");
  }
}

/** Managed servers refuse INFO. */
async function serverOf(connection: Connection): Promise<string> {
  const text = await connection.run(["INFO", "server"]).catch(() => "");
  return /^(?:redis|valkey)_version:(\S+)/m.exec(String(text))?.[1] ?? "";
}

/** Seconds and microseconds, as texts. */
function timeIn(answer: unknown): number {
  const [seconds = 0, micros = 0] = Array.isArray(answer) ? answer.map(Number) : [];
  return seconds * 1000 + micros / 1000;
}
