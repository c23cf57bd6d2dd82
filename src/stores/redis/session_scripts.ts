/** Programs of the session store that Redis runs without anything else in between. */
import { scriptOf } from "./script.ts";

/**
 * Puts a record. KEYS: the record, a hash. ARGV: its text, when it was seen, milliseconds it is kept. What
 * somebody else has put there goes. In one step, because a writer that is killed in between must not lose it.
 */
export const PUT = scriptOf(`
local kind = redis.call("TYPE", KEYS[1]).ok
if kind ~= "hash" and kind ~= "none" then redis.call("DEL", KEYS[1]) end
redis.call("HSET", KEYS[1], "record", ARGV[1], "seen", ARGV[2])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
return "OK"
`);

/**
 * Puts off when a record is forgotten, and notes when its session was seen. KEYS: the record, a hash. ARGV: time,
 * milliseconds it is kept. One that is not there stays away.
 */
export const TOUCH = scriptOf(`
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
redis.call("HSET", KEYS[1], "seen", ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 1
`);

/**
 * Keeps an event. KEYS: the stream, a hash whose fields are the numbers of its events beside "facts", "first",
 * "bytes" and "ended". ARGV: number, event, facts, events and bytes it may hold, milliseconds it is kept, set of
 * the streams of its session, milliseconds that is kept.
 */
export const KEEP = scriptOf(`
local sequence, most, mostBytes = tonumber(ARGV[1]), tonumber(ARGV[4]), tonumber(ARGV[5])
local first = tonumber(redis.call("HGET", KEYS[1], "first") or ARGV[1])
local bytes = tonumber(redis.call("HGET", KEYS[1], "bytes") or "0")
if first == nil or bytes == nil or first > sequence or sequence - first > 2 * most then
  redis.call("DEL", KEYS[1])
  first, bytes = sequence, 0
end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2], "facts", ARGV[3])
bytes = bytes + #ARGV[2]
while first <= sequence and (sequence - first + 1 > most or bytes > mostBytes) do
  local field = string.format("%.0f", first)
  bytes = bytes - redis.call("HSTRLEN", KEYS[1], field)
  redis.call("HDEL", KEYS[1], field)
  first = first + 1
end
redis.call("HSET", KEYS[1], "first", string.format("%.0f", first), "bytes", string.format("%.0f", bytes))
redis.call("PEXPIRE", KEYS[1], ARGV[6])
redis.call("SADD", ARGV[7], KEYS[1])
redis.call("PEXPIRE", ARGV[7], ARGV[8])
return "OK"
`);

/** Nothing more will come. KEYS: the stream. ARGV: milliseconds it is kept. */
export const END = scriptOf(`
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
redis.call("HSET", KEYS[1], "ended", "1")
redis.call("PEXPIRE", KEYS[1], ARGV[1])
return 1
`);
