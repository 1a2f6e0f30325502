#!lua
-- What became of a line. ARGV: batch id, number of the line, job id or problem as JSON. Returns 1 if the batch was canceled.
local found = redis.call('HMGET', KEY.BATCH .. ARGV[1], 'canceled', 'expires_at')
if not found[1] then return {'missing'} end
redis.call('HSET', KEY.BATCH_LINES .. ARGV[1], ARGV[2], ARGV[3])
redis.call('PEXPIREAT', KEY.BATCH_LINES .. ARGV[1], found[2])
return {'ok', tonumber(found[1])}
