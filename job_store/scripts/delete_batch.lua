#!lua flags=allow-oom
-- ARGV: batch id, tenant. No further lines are taken; the jobs are left to the caller.
if redis.call('HGET', KEY.BATCH .. ARGV[1], 'tenant') ~= ARGV[2] then return {'missing'} end
redis.call('DEL', KEY.BATCH .. ARGV[1], KEY.BATCH_LINES .. ARGV[1])
redis.call('ZREM', KEY.BATCHES .. ARGV[2], ARGV[1])
return {'ok'}
