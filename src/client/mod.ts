/** Typed client of the management API, for programs of any kind. */
export type {
  JsonRoute,
  RouteAnswer,
  RouteBody,
  RouteName,
  RouteParams,
  RouteQuery,
  StreamRoute,
} from "../contract/manage/mod.ts";
export { createManagementClient, type ManagementClient } from "./client.ts";
export { type FailureKind, FAILURES, ManagementError } from "./errors.ts";
export type { ClientClock, Fetch, ManagementClientOptions } from "./options.ts";
export type {
  CommonOptions,
  Followed,
  FollowOptions,
  Gap,
  ListItem,
  ListOptions,
  ListRoute,
  QueryOf,
  RequestArguments,
  RequestOptions,
  RequestRoute,
  StreamState,
  StreamStateName,
} from "./types.ts";
