/** The client as it is used here; loaded only by a gateway that has replicas. */
import { createClient } from "redis";

/** Commands under way; more than the gateway has calls. */
const MAX_COMMANDS = 20_000;

export type Client = ReturnType<typeof newClient>;

/**
 * One that connects once and keeps nothing for later: what to do about a lost connection is decided elsewhere.
 * @param connectMs for the way to the server
 */
export function newClient(url: string, connectMs: number) {
  const client = createClient({
    url,
    RESP: 3,
    name: "mcp-sentinel",
    disableOfflineQueue: true,
    disableClientInfo: true,
    commandsQueueMaxLength: MAX_COMMANDS,
    maintNotifications: "disabled",
    socket: { reconnectStrategy: false, connectTimeout: connectMs },
  });
  // Without a listener an error would end the process.
  client.on("error", () => {});
  return client;
}
