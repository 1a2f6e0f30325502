#!lua
-- ARGV: endpoint id, tenant, url, events each with a space after it, description, 1 if enabled, how many a tenant may have,
-- then the hash of an idempotency key or '', the fingerprint of what it came with, for how many ms to keep it.
-- Returns 1 if it was made, 0 for a replay, its id and its record.
local id, tenant = ARGV[1], ARGV[2]
local key, ids = KEY.WEBHOOK_ENDPOINT .. id, KEY.WEBHOOK_ENDPOINTS .. tenant
local once = ARGV[8] ~= '' and KEY.IDEMPOTENCY .. tenant .. ':' .. ARGV[8]

if redis.call('EXISTS', key) == 1 then return {'ok', 1, id, redis.call('HGETALL', key)} end -- its reply was lost
if once then
  local earlier, reused = earlier_of(once, 'endpoint_id', KEY.WEBHOOK_ENDPOINT, ARGV[9])
  if reused then return reused end
  if earlier then return {'ok', 0, earlier, redis.call('HGETALL', KEY.WEBHOOK_ENDPOINT .. earlier)} end
end
if redis.call('SCARD', ids) >= tonumber(ARGV[7]) then return {'too_many_endpoints'} end
local created_at = now
for _, other in ipairs(redis.call('SMEMBERS', ids)) do -- "oldest first" holds within a millisecond too
  created_at = math.max(created_at, 1 + tonumber(redis.call('HGET', KEY.WEBHOOK_ENDPOINT .. other, 'created_at')))
end
redis.call('HSET', key, 'tenant', tenant, 'url', ARGV[3], 'events', ARGV[4], 'description', ARGV[5], 'enabled', ARGV[6],
  'created_at', created_at, 'secret_id', '', 'old_secrets', '')
redis.call('SADD', ids, id)
if once then remember_once(once, 'endpoint_id', id, ARGV[9], ARGV[10]) end
return {'ok', 1, id, redis.call('HGETALL', key)}
