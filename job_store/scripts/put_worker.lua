#!lua flags=allow-oom
-- A worker says how it is, also when memory is short. ARGV: name, state as JSON, ms until it counts as gone, 1 if idle.
redis.call('SET', KEY.WORKER .. ARGV[1], ARGV[2], 'PX', ARGV[3])
if ARGV[4] == '1' then redis.call('SET', KEY.IDLE .. ARGV[1], 1, 'PX', ARGV[3]) else redis.call('DEL', KEY.IDLE .. ARGV[1]) end
redis.call('SADD', KEY.WORKERS, ARGV[1])
return {'ok'}
