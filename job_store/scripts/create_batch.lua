#!lua
-- ARGV: batch id, tenant, how many lines, ms to keep it, then the hash of an idempotency key or '', the fingerprint of what it
-- came with, for how many ms to keep it. Returns its id and record.
local id, tenant = ARGV[1], ARGV[2]
local batch, batches = KEY.BATCH .. id, KEY.BATCHES .. tenant
local once = ARGV[5] ~= '' and KEY.IDEMPOTENCY .. tenant .. ':' .. ARGV[5]
if once then
  local earlier = redis.call('HMGET', once, 'batch_id', 'fingerprint')
  if earlier[1] and redis.call('EXISTS', KEY.BATCH .. earlier[1]) == 1 then
    if earlier[2] ~= ARGV[6] then return {'reused', earlier[1]} end
    return {'ok', earlier[1], redis.call('HGETALL', KEY.BATCH .. earlier[1])}
  end
end
if redis.call('EXISTS', batch) == 0 then -- else its reply was lost
  local last = redis.call('ZRANGE', batches, -1, -1, 'WITHSCORES')[2]
  local place = math.max(now_us, tonumber(last or 0) + 1) -- strictly rising: the cursor of the list
  for _, old in ipairs(redis.call('ZRANGE', batches, 0, 9)) do
    if redis.call('EXISTS', KEY.BATCH .. old) == 0 then redis.call('ZREM', batches, old) end
  end
  redis.call('HSET', batch, 'tenant', tenant, 'total', ARGV[3], 'created_at', now, 'expires_at', now + ARGV[4], 'canceled', 0)
  redis.call('PEXPIREAT', batch, now + ARGV[4])
  redis.call('ZADD', batches, string.format('%.0f', place), id)
end
if once then
  redis.call('HSET', once, 'batch_id', id, 'fingerprint', ARGV[6])
  redis.call('PEXPIRE', once, ARGV[7])
end
return {'ok', id, redis.call('HGETALL', batch)}
