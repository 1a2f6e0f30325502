#!lua flags=allow-oom
-- ARGV: scene id, tenant, the step that is to be the head ('' for the first picture), the seed of its variation or '', the head
-- as the caller knows it, or '*' for any.
local scene = KEY.SCENE .. ARGV[1]
local found = redis.call('HMGET', scene, 'tenant', 'head')
if found[1] ~= ARGV[2] then return {'missing'} end
if ARGV[3] ~= '' and redis.call('HEXISTS', KEY.SCENE_STEPS .. ARGV[1], ARGV[3]) == 0 then return {'missing'} end
if ARGV[5] ~= '*' and ARGV[5] ~= found[2] then return {'state', 'changed by somebody else'} end
redis.call('HSET', scene, 'head', ARGV[3], 'head_seed', ARGV[4], 'updated_at', now)
return {'ok'}
