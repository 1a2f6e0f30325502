#!lua flags=allow-oom
-- ARGV: key id.
local tenant = redis.call('HGET', KEY.API_KEY .. ARGV[1], 'tenant')
if not tenant then return {'missing'} end
redis.call('DEL', KEY.API_KEY .. ARGV[1])
redis.call('SREM', KEY.API_KEYS .. tenant, ARGV[1])
return {'ok'}
