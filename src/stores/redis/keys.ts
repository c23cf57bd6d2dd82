/** Most characters of a part of a key that is written as it is. */
const MAX_PLAIN = 200;
/** Of the form of what is stored: replicas of another one do not meet. */
const FORM = "v1";

/** Where a gateway keeps its things. */
export interface Keys {
  /** Table of the kill switches. */
  readonly switches: string;
  /** Channel they are told on: channels know no databases, so its number is part of the name. */
  readonly channel: string;
  /** Written to see whether writing works. */
  readonly probe: string;
  /** Bucket of a key, whatever is in it. */
  bucket(key: string): string;
  /** Record of a session. */
  session(id: string): string;
  /** Set of the streams of a session. */
  streamsOf(session: string): string;
  /** Events of a stream. */
  stream(key: string): string;
  secret(name: string): string;
}

/** SHA-256 over UTF-8, 64 hexadecimal digits. */
type Sha256 = (text: string) => string;

/** @param gateway its name: replicas have the same */
export function keysOf(gateway: string, url: string, sha256: Sha256): Keys {
  const bounded = boundedBy(sha256);
  const prefix = `mcp-sentinel:${FORM}:${bounded(gateway)}`;
  const database = new URL(url).pathname.slice(1) || "0";
  return {
    switches: `${prefix}:switches`,
    channel: `${prefix}:switches@${database}`,
    probe: `${prefix}:probe`,
    bucket: (key) => `${prefix}:rate:${bounded(key)}`,
    session: (id) => `${prefix}:session:${bounded(id)}`,
    streamsOf: (session) => `${prefix}:streams:${bounded(session)}`,
    stream: (key) => `${prefix}:stream:${bounded(key)}`,
    secret: (name) => `${prefix}:secret:${bounded(name)}`,
  };
}

/** Where the replicas of a gateway speak to each other. */
export interface BusKeys {
  /** Channel of one replica. */
  channelOf(instance: string): string;
  /** Channel of all. */
  readonly everybody: string;
  /** Sign of life of one replica. */
  signOf(instance: string): string;
}

/** @param gateway its name: replicas have the same */
export function busKeysOf(gateway: string, url: string, sha256: Sha256): BusKeys {
  const bounded = boundedBy(sha256);
  const prefix = `mcp-sentinel:${FORM}:${bounded(gateway)}:bus`;
  const database = new URL(url).pathname.slice(1) || "0";
  return {
    channelOf: (instance) => `${prefix}:to:${bounded(instance)}@${database}`,
    everybody: `${prefix}:all@${database}`,
    signOf: (instance) => `${prefix}:alive:${bounded(instance)}`,
  };
}

/** What begins like a digest is made one, so that nobody can spell another's key. */
function boundedBy(sha256: Sha256): (text: string) => string {
  return (text) => text.length <= MAX_PLAIN && !text.startsWith("#") ? text : `#${sha256(text)}`;
}
