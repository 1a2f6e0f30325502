#!lua flags=allow-oom
-- SET that works when memory is short. ARGV: key, value, ms to live or 0 for ever.
if ARGV[3] == '0' then redis.call('SET', ARGV[1], ARGV[2]) else redis.call('SET', ARGV[1], ARGV[2], 'PX', ARGV[3]) end
return {'ok'}
