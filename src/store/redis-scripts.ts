import { createHash } from 'node:crypto';

/** One atomic command on one key, so that it runs on any node of a cluster. Times are the caller's clock. */
export interface RedisScript {
  readonly lua: string;
  readonly sha1: string;
}

function script(lua: string): RedisScript {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') };
}

/**
 * Writes ARGV[2] for ARGV[3] ms if the key still holds exactly ARGV[1] ('' for nothing): 1 when it now holds ARGV[2].
 * An envelope is unlike every other, so finding ARGV[2] means that this very command ran before and its answer was
 * lost with the connection.
 */
export const COMPARE_AND_SET = script(`
local found = redis.call('GET', KEYS[1]) or ''
if found == ARGV[2] then return 1 end
if found ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`);

/** Deletes the key if it still holds exactly ARGV[1]: 1 when it did. */
export const COMPARE_AND_DELETE = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`);

/**
 * Counts ARGV[2] among the members of a sorted set until ARGV[3], at most ARGV[4] of them at the time ARGV[1]; the set
 * stays ARGV[5] ms longer than its last member counts. A member that is counted already stays so. Gives the members
 * that count no longer and are dropped with this, or nothing where there is no place.
 */
export const COUNT_IN = script(`
local now = tonumber(ARGV[1])
local lapsed = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE')
local score = redis.call('ZSCORE', KEYS[1], ARGV[2])
local isCounted = score and tonumber(score) > now
if not isCounted and redis.call('ZCARD', KEYS[1]) - #lapsed >= tonumber(ARGV[4]) then return false end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], math.max(1, tonumber(last[2]) - now + tonumber(ARGV[5])))
return lapsed
`);

/**
 * A user's few records of one kind in one hash. A field holds "<expires> <kept until> <rank> <sealed>". Writes field
 * ARGV[2] and drops what has expired at ARGV[1], then the lowest ranks beyond ARGV[6]; one that is kept until later
 * stays till then. ARGV: now, field, expires, kept until, rank ('' for the highest), most, sealed, 'write' or
 * 'replace' (only a field that is there). Gives the fields that had to go, or nothing where 'replace' found none.
 */
export const WRITE_AMONG_FEW = script(`
local now, field, most = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[6])
local expires, kept = tonumber(ARGV[3]), tonumber(ARGV[4])
local others, found, highest, latest, gone = {}, false, 0, expires, {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local e, k, r, sealed = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (.*)$')
  e, k, r = tonumber(e), tonumber(k), tonumber(r)
  if not e or e <= now then
    redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] == field then
    found, kept = true, math.max(kept, k)
  else
    others[#others + 1] = { field = all[i], expires = e, kept = k, rank = r, sealed = sealed }
  end
  highest = math.max(highest, r or 0)
end
if ARGV[8] == 'replace' and not found then return false end
table.sort(others, function(a, b) return a.rank > b.rank end)
for place, other in ipairs(others) do
  if place < most then
    latest = math.max(latest, other.expires)
  elseif other.kept > now then
    local last = math.min(other.expires, other.kept)
    redis.call('HSET', KEYS[1], other.field,
      string.format('%.0f %.0f %.0f %s', last, other.kept, other.rank, other.sealed))
    latest = math.max(latest, last)
  else
    redis.call('HDEL', KEYS[1], other.field)
    gone[#gone + 1] = other.field
  end
end
local rank = tonumber(ARGV[5]) or highest + 1
redis.call('HSET', KEYS[1], field, string.format('%.0f %.0f %.0f %s', expires, kept, rank, ARGV[7]))
redis.call('PEXPIRE', KEYS[1], math.max(1, latest - now))
return gone
`);
