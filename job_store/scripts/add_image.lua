#!lua
-- ARGV: image id, tenant, width, height, sha-256, ms to keep, then the hash of an idempotency key or '', the fingerprint of what
-- it came with, for how many ms to keep it. Returns its id and record.
local id, tenant = ARGV[1], ARGV[2]
local key, expires_at = KEY.IMAGE .. id, now + ARGV[6]
local once = ARGV[7] ~= '' and KEY.IDEMPOTENCY .. tenant .. ':' .. ARGV[7]
if once then
  local earlier, reused = earlier_of(once, 'image_id', KEY.IMAGE, ARGV[8])
  if reused then return reused end
  if earlier then return {'ok', earlier, redis.call('HGETALL', KEY.IMAGE .. earlier)} end
  remember_once(once, 'image_id', id, ARGV[8], ARGV[9])
end
redis.call('HSET', key, 'tenant', tenant, 'width', ARGV[3], 'height', ARGV[4], 'sha256', ARGV[5],
  'created_at', now, 'expires_at', expires_at)
redis.call('PEXPIREAT', key, expires_at)
redis.call('ZADD', KEY.IMAGES, expires_at, tenant .. '/' .. id)
return {'ok', id, redis.call('HGETALL', key)}
