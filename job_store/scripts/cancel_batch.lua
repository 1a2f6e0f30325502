#!lua flags=allow-oom
-- ARGV: batch id, tenant. No further lines are taken.
if redis.call('HGET', KEY.BATCH .. ARGV[1], 'tenant') ~= ARGV[2] then return {'missing'} end
redis.call('HSET', KEY.BATCH .. ARGV[1], 'canceled', 1)
return {'ok'}
