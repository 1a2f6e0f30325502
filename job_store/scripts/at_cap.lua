#!lua flags=no-writes
-- ARGV: tenant. Returns 1 if as many of its jobs run as may.
return {'ok', redis.call('ZCARD', KEY.RUNNING .. ARGV[1]) >= limits_of(ARGV[1]).max_running and 1 or 0}
