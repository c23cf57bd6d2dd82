/** What may be asked, derived from the table of routes. */
import type { ManagementError } from "./errors.ts";
import type {
  JsonRoute,
  RouteAnswer,
  RouteBody,
  RouteName,
  RouteParams,
  RouteQuery,
  ROUTES,
  StreamRoute,
} from "../contract/manage/mod.ts";

type None = Record<never, never>;
type Row<Name extends RouteName> = (typeof ROUTES)[Name];

/** Routes that answer once. */
export type RequestRoute = Exclude<RouteName, StreamRoute>;

/** Routes that answer a list in pages, without a parameter in their path. */
export type ListRoute = {
  [Name in JsonRoute]: RouteAnswer<Name> extends { readonly items: readonly unknown[] }
    ? [keyof RouteParams<Name>] extends [never] ? Name : never
    : never;
}[JsonRoute];

/** One entry of a list. */
export type ListItem<Name extends ListRoute> = RouteAnswer<Name>["items"][number];

/** Query of a route; numbers may be written as numbers, and undefined is left out. */
export type QueryOf<Name extends RouteName> = {
  readonly [Key in keyof RouteQuery<Name>]?: string | number | undefined;
};

/** For every request. */
export interface CommonOptions {
  /** Ends the request; it rejects with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
  /** Until the whole answer is here, milliseconds. Default: 10 s. */
  readonly timeoutMs?: number | undefined;
}

type ParamsOption<Name extends RouteName> = [keyof RouteParams<Name>] extends [never] ? None
  : { readonly params: RouteParams<Name> };

type QueryOption<Name extends RouteName> = [keyof RouteQuery<Name>] extends [never] ? None
  : { readonly query?: QueryOf<Name> };

type BodyOption<Name extends RouteName> = [RouteBody<Name>] extends [undefined] ? None
  : None extends RouteBody<Name> ? { readonly body?: RouteBody<Name> }
  : { readonly body: RouteBody<Name> };

type KeyOption<Name extends RouteName> = Row<Name> extends { readonly operation: true }
  ? { readonly idempotencyKey?: string | undefined }
  : None;

type Flat<Options> = { readonly [Key in keyof Options]: Options[Key] };

/** Parameters, query, body and idempotency key as the route has them. */
export type RequestOptions<Name extends RequestRoute> = Flat<
  & CommonOptions
  & ParamsOption<Name>
  & QueryOption<Name>
  & BodyOption<Name>
  & KeyOption<Name>
>;

/** The options may be left out when none is needed. */
export type RequestArguments<Name extends RequestRoute> = None extends RequestOptions<Name>
  ? readonly [options?: RequestOptions<Name>]
  : readonly [options: RequestOptions<Name>];

/** Query and options of a whole list. */
export interface ListOptions<Name extends ListRoute> extends CommonOptions {
  readonly query?: QueryOf<Name>;
}

/** States of a stream. */
export type StreamStateName = "connecting" | "live" | "stale" | "unauthorized" | "gone";

/** How a stream is. */
export interface StreamState {
  /**
   * `connecting`: never connected yet; `live`; `stale`: the connection is lost or silent, and made
   * anew; `unauthorized`: the token is not accepted (any more); `gone`: ended for good, by us or by
   * the gateway.
   */
  readonly state: StreamStateName;
  /** When that began, milliseconds since 1970; for `stale` the last sign of life. */
  readonly since: number;
  /** Why it is not live. */
  readonly error?: ManagementError;
  /** The next attempt to connect, milliseconds from when this was told. */
  readonly retryInMs?: number;
}

/** Something is missing from the stream at this place. */
export interface Gap {
  readonly kind: "gap";
  /** Cursor of the last event before. */
  readonly after?: string;
  /** Cursor of the oldest event that is kept. */
  readonly oldest?: string;
  /** How many are missing, at least; undefined when nobody knows. */
  readonly lost?: number;
}

/** One entry of a stream. */
export type Followed<Data> = { readonly kind: "event"; readonly data: Data } | Gap;

type FromOption<Name extends StreamRoute> = "after" extends keyof RouteQuery<Name> ? {
    /** Where to begin: after a cursor, with the oldest kept, or with what happens next (default). */
    readonly from?: "now" | "oldest" | (string & None) | undefined;
  }
  : None;

/** How a stream is followed. */
export type FollowOptions<Name extends StreamRoute> = Flat<
  & FromOption<Name>
  & {
    /** As in the query of the route. */
    readonly filter?: string | undefined;
    /** Is told every change of state. */
    readonly onState?: ((state: StreamState) => void) | undefined;
    /** Ends the stream. */
    readonly signal?: AbortSignal | undefined;
    /** For each attempt to connect, milliseconds. Default: 10 s. */
    readonly timeoutMs?: number | undefined;
  }
>;
