#!lua flags=allow-oom
-- A key opened something. ARGV: key id.
if redis.call('EXISTS', KEY.API_KEY .. ARGV[1]) == 1 then redis.call('HSET', KEY.API_KEY .. ARGV[1], 'last_used_at', now) end
return {'ok'}
