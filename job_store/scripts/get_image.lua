#!lua flags=no-writes
-- ARGV: image id, tenant.
local key = KEY.IMAGE .. ARGV[1]
if redis.call('HGET', key, 'tenant') ~= ARGV[2] then return {'missing'} end
return {'ok', redis.call('HGETALL', key)}
