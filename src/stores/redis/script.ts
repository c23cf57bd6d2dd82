/** A program that Redis runs without anything else in between. */
export interface Script {
  readonly text: string;
}

export function scriptOf(text: string): Script {
  return { text };
}

/** Kill switches and cleared ones, those of all replicas together. */
export const MAX_ENTRIES = 10_000;
/** Of a key, and of a value. */
export const MAX_BYTES = 16_384;

/**
 * Takes one call from a bucket. KEYS: the bucket. ARGV: calls, milliseconds they are for, burst.
 * Gives allowed (1, 0), milliseconds to wait, whole calls left, and what is used as text.
 *
 * A bucket is the text "used at calls ms": what was used at a time of Redis, and the limit that gives it back.
 * It goes by itself when it is full again. A refusal writes only when the limit or the clock was changed.
 * What is not in that form counts as no bucket.
 */
export const TAKE = scriptOf(`
local time = redis.call("TIME")
local now = time[1] * 1000 + time[2] / 1000
local count, per, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local text = redis.call("GET", KEYS[1])
local left, at, oldCount, oldPer
if text then
  left, at, oldCount, oldPer = string.match(text, "^(%S+) (%S+) (%S+) (%S+)$")
  left, at, oldCount, oldPer = tonumber(left), tonumber(at), tonumber(oldCount), tonumber(oldPer)
end
-- Nothing compares with what is no number, so this is false for it.
local known = left and at and oldCount and oldPer and left >= 0 and at >= 0 and oldCount > 0 and oldPer > 0
if known then left = left - math.max(0, now - at) * oldCount / oldPer else left = 0 end
local same = known and oldCount == count and oldPer == per and now >= at and left <= burst
local used = math.min(math.max(left, 0), burst)
local missing = used + 1 - burst
local allowed = missing <= 1e-6
if allowed then used = used + 1 end
if allowed or not same then
  local value = string.format("%.17g %.17g %s %s", used, now, ARGV[1], ARGV[2])
  redis.call("SET", KEYS[1], value, "PX", string.format("%.0f", math.ceil(used * per / count) + 1000))
end
local told = string.format("%.17g", used)
if allowed then return { 1, 0, math.floor(1e-6 - missing), told } end
return { 0, math.max(1, math.ceil(missing * per / count)), 0, told }
`);

/** What entries are compared by: digits as a number, then who wrote. */
const LATER = `
local function later(a, b)
  local x, y = tonumber(string.sub(a, 1, 15)), tonumber(string.sub(b, 1, 15))
  if x == nil then return false end
  if y == nil or x ~= y then return y == nil or x > y end
  return string.sub(a, 17, 28) > string.sub(b, 17, 28)
end
`;

/**
 * Writes entries that are later than those there, and says so. KEYS: the table. ARGV: the channel, how many
 * entries the table may hold, then for each entry its key, its stamp with its value, and the message.
 */
export const WRITE = scriptOf(`${LATER}
for at = 3, #ARGV, 3 do
  local known = redis.call("HGET", KEYS[1], ARGV[at])
  if known == false and redis.call("HLEN", KEYS[1]) >= tonumber(ARGV[2]) then
    return redis.error_reply("FULL the table of the kill switches holds " .. ARGV[2] .. " entries")
  end
  if known == false or later(ARGV[at + 1], known) then
    redis.call("HSET", KEYS[1], ARGV[at], ARGV[at + 1])
    redis.call("PUBLISH", ARGV[1], ARGV[at + 2])
  end
end
return "OK"
`);

/** Removes entries that are still the same. KEYS: the table. ARGV: for each entry its key and its stamp. */
export const FORGET = scriptOf(`
for at = 1, #ARGV, 2 do
  local known = redis.call("HGET", KEYS[1], ARGV[at])
  if known and string.sub(known, 1, 28) == ARGV[at + 1] then redis.call("HDEL", KEYS[1], ARGV[at]) end
end
return "OK"
`);

/**
 * Gives the table: keys and values in turn. KEYS: the table. ARGV: how many entries it may hold, and how many
 * bytes one of them. Longer ones are left out, and a table with more is an error: nobody here wrote them.
 */
export const READ = scriptOf(`
local size = redis.call("HLEN", KEYS[1])
if size > tonumber(ARGV[1]) then
  return redis.error_reply("FULL the table of the kill switches holds " .. size .. " entries")
end
local found, most = {}, tonumber(ARGV[2])
for _, key in ipairs(redis.call("HKEYS", KEYS[1])) do
  if #key <= most and redis.call("HSTRLEN", KEYS[1], key) <= most then
    found[#found + 1] = key
    found[#found + 1] = redis.call("HGET", KEYS[1], key)
  end
end
return found
`);
