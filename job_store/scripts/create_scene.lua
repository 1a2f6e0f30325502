#!lua
-- ARGV: scene id, tenant, source as JSON, image id or '', metadata as JSON, ms to keep it, then the hash of an idempotency key
-- or '', the fingerprint of what it came with, for how many ms to keep it. Returns its id and record.
local id, tenant = ARGV[1], ARGV[2]
local scene = KEY.SCENE .. id
local once = ARGV[7] ~= '' and KEY.IDEMPOTENCY .. tenant .. ':' .. ARGV[7]
if once then
  local earlier, reused = earlier_of(once, 'scene_id', KEY.SCENE, ARGV[8])
  if reused then return reused end
  if earlier then return {'ok', earlier, redis.call('HGETALL', KEY.SCENE .. earlier)} end
  remember_once(once, 'scene_id', id, ARGV[8], ARGV[9])
end
if redis.call('EXISTS', scene) == 0 then -- else its reply was lost
  redis.call('HSET', scene, 'tenant', tenant, 'source', ARGV[3], 'image_id', ARGV[4], 'metadata', ARGV[5],
    'retain_ms', ARGV[6], 'created_at', now, 'updated_at', now, 'expires_at', now + ARGV[6], 'head', '', 'head_seed', '',
    'steps', 0)
  redis.call('PEXPIREAT', scene, now + ARGV[6])
  list_newest(KEY.SCENES .. tenant, KEY.SCENE, id)
end
return {'ok', id, redis.call('HGETALL', scene)}
