#!lua flags=allow-oom
-- A worker says how it is, also when memory is short. ARGV: name, state as JSON, ms until it counts as gone.
redis.call('SET', KEY.WORKER .. ARGV[1], ARGV[2], 'PX', ARGV[3])
redis.call('SADD', KEY.WORKERS, ARGV[1])
return {'ok'}
