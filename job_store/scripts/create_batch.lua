#!lua
-- ARGV: batch id, tenant, how many lines, ms to keep it, then the hash of an idempotency key or '', the fingerprint of what it
-- came with, for how many ms to keep it. Returns its id and record.
local id, tenant = ARGV[1], ARGV[2]
local batch = KEY.BATCH .. id
local once = ARGV[5] ~= '' and KEY.IDEMPOTENCY .. tenant .. ':' .. ARGV[5]
if once then
  local earlier, reused = earlier_of(once, 'batch_id', KEY.BATCH, ARGV[6])
  if reused then return reused end
  if earlier then return {'ok', earlier, redis.call('HGETALL', KEY.BATCH .. earlier)} end
  remember_once(once, 'batch_id', id, ARGV[6], ARGV[7])
end
if redis.call('EXISTS', batch) == 0 then -- else its reply was lost
  redis.call('HSET', batch, 'tenant', tenant, 'total', ARGV[3], 'created_at', now, 'expires_at', now + ARGV[4], 'canceled', 0)
  redis.call('PEXPIREAT', batch, now + ARGV[4])
  list_newest(KEY.BATCHES .. tenant, KEY.BATCH, id)
end
return {'ok', id, redis.call('HGETALL', batch)}
