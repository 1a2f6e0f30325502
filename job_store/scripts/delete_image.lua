#!lua flags=allow-oom
-- ARGV: image id, tenant. Its artifact is due for removal from now on.
local key = KEY.IMAGE .. ARGV[1]
if redis.call('HGET', key, 'tenant') ~= ARGV[2] then return {'missing'} end
redis.call('DEL', key)
redis.call('ZADD', KEY.IMAGES, now, ARGV[2] .. '/' .. ARGV[1])
return {'ok'}
