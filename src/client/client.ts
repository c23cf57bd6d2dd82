import type { RouteAnswer, StreamRoute } from "../contract/manage/mod.ts";
import { follow } from "./follow.ts";
import { type ManagementClientOptions, targetOf } from "./options.ts";
import { allItems } from "./pages.ts";
import { request } from "./request.ts";
import type {
  Followed,
  FollowOptions,
  ListItem,
  ListOptions,
  ListRoute,
  RequestArguments,
  RequestRoute,
} from "./types.ts";

/** Speaks with one gateway. Every route is a name of the table `ROUTES`. */
export interface ManagementClient {
  /**
   * Sends one request and returns its answer, checked against the table; JSON is returned as it came,
   * with members that the table does not know. An operation gets an idempotency key, and is sent a
   * second time when the connection broke; nothing else is ever repeated.
   * @throws ManagementError, or the reason of `signal` when that is aborted
   */
  request<Name extends RequestRoute>(
    name: Name,
    ...options: RequestArguments<Name>
  ): Promise<RouteAnswer<Name>>;

  /**
   * All entries of a list, page by page as they are taken.
   * @throws ManagementError while iterating
   */
  all<Name extends ListRoute>(
    name: Name,
    options?: ListOptions<Name>,
  ): AsyncIterableIterator<ListItem<Name>>;

  /**
   * Follows a stream: connects at the first `next()`, again and again when the connection fails or
   * is silent for 45 s (after 1, 2, 4 … 30 s), and goes on after the last event it got. What is
   * missing shows as a `gap`. Ends by leaving the loop, by `signal`, or when the gateway stops; the
   * connection is freed then.
   * @throws ManagementError while iterating, when another attempt is useless
   */
  follow<Name extends StreamRoute>(
    name: Name,
    options?: FollowOptions<Name>,
  ): AsyncIterableIterator<Followed<RouteAnswer<Name>>>;
}

/**
 * Makes a client. Nothing is sent yet.
 * @throws ManagementError when the URL or the token cannot be used
 */
export function createManagementClient(options: ManagementClientOptions): ManagementClient {
  const target = targetOf(options);
  const client = {
    request: (name: RequestRoute, asked?: object) => request(target, name, asked),
    all: (name: ListRoute, asked?: object) => allItems(target, name, asked),
    follow: (name: StreamRoute, asked?: object) => follow(target, name, asked),
  };
  // The types of the table hold what these three check and send.
  return client as ManagementClient;
}
