/** The process behind `Crowd`: `crowd_process.ts URL`, orders on stdin, answers on stdout. */
import process from "node:process";
import { createInterface } from "node:readline";
import { Connection } from "../../../bench/connection.ts";
import type { CrowdOrder, Standing } from "./crowd.ts";
import { IdleSession } from "./idle_session.ts";

/** Connections that orders are carried out over. */
const OPENERS = 16;

const url = new URL(process.argv[2] ?? "");
let held: IdleSession[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await follow(JSON.parse(line) as CrowdOrder))}\n`);
}

async function follow(order: CrowdOrder): Promise<Standing> {
  if (order.do === "open") await open(order);
  const sessions = order.do === "count" ? await answering() : held.length;
  if (order.do === "close") await closeAll();
  return { sessions, streams: held.filter(({ isOpen }) => isOpen).length };
}

function open({ sessions, withStream }: CrowdOrder & { readonly do: "open" }): Promise<void> {
  let left = sessions;
  return overConnections(async (connection) => {
    while (left-- > 0) held.push(await IdleSession.open(url, connection, { withStream }));
  });
}

async function answering(): Promise<number> {
  let answered = 0;
  const left = [...held];
  await overConnections(async (connection) => {
    for (let session = left.pop(); session !== undefined; session = left.pop()) {
      if (await session.ping(connection) === 200) answered++;
    }
  });
  return answered;
}

async function closeAll(): Promise<void> {
  const left = held;
  held = [];
  await overConnections(async (connection) => {
    for (let session = left.pop(); session !== undefined; session = left.pop()) {
      await session.close(connection);
    }
  });
}

async function overConnections(act: (connection: Connection) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: OPENERS }, async () => {
    const connection = await Connection.open(url);
    await act(connection);
    connection.close();
  }));
}
