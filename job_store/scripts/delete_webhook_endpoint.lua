#!lua flags=allow-oom
-- ARGV: endpoint id, tenant. What is on its way to it is given up by who would send it.
local key = KEY.WEBHOOK_ENDPOINT .. ARGV[1]
if redis.call('HGET', key, 'tenant') ~= ARGV[2] then return {'missing'} end
redis.call('DEL', key)
redis.call('SREM', KEY.WEBHOOK_ENDPOINTS .. ARGV[2], ARGV[1])
return {'ok'}
