#!lua flags=allow-oom
-- ARGV: scene id, tenant. With all its steps; those that run go as soon as they have stopped. Returns the ids of those gone.
local scene, steps = KEY.SCENE .. ARGV[1], KEY.SCENE_STEPS .. ARGV[1]
local found = redis.call('HMGET', scene, 'tenant', 'image_id')
if found[1] ~= ARGV[2] then return {'missing'} end
local gone = {}
for _, id in ipairs(redis.call('HKEYS', steps)) do
  local job = read(id)
  if job and forget(job) then gone[#gone + 1] = id end
end
if redis.call('DEL', KEY.IMAGE .. found[2]) == 1 then redis.call('ZADD', KEY.IMAGES, now, ARGV[2] .. '/' .. found[2]) end
redis.call('DEL', scene, steps)
redis.call('ZREM', KEY.SCENES .. ARGV[2], ARGV[1])
return {'ok', gone}
