#!lua flags=allow-oom
-- A delivery is done with. ARGV: its id, delivered or dead, why, for how many ms to keep it.
if redis.call('ZREM', KEY.OUTBOX, ARGV[1]) == 0 then return {'ok'} end -- settled before
redis.call('HSET', KEY.DELIVERY .. ARGV[1], 'state', ARGV[2], 'why', ARGV[3], 'settled_at', now)
redis.call('PEXPIRE', KEY.DELIVERY .. ARGV[1], ARGV[4])
return {'ok'}
