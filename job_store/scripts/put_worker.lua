#!lua flags=allow-oom
-- A worker says how it is, also when memory is short. ARGV: name, state as JSON, ms until it counts as gone, what it does.
redis.call('SET', KEY.WORKER .. ARGV[1], ARGV[2], 'PX', ARGV[3])
local idle = KEY.IDLE .. ARGV[1]
if ARGV[4] == 'ready' then redis.call('SET', idle, 1, 'PX', ARGV[3])
elseif ARGV[4] == 'busy' then redis.call('PEXPIRE', idle, ARGV[3])
else redis.call('DEL', idle) end
redis.call('SADD', KEY.WORKERS, ARGV[1])
return {'ok'}
