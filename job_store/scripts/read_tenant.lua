#!lua flags=no-writes
-- ARGV: tenant. Returns its queued and running jobs, and the limits that are its own.
local tenant = ARGV[1]
return {'ok', queued_of(tenant), redis.call('ZCARD', KEY.RUNNING .. tenant), redis.call('HGETALL', KEY.LIMITS .. tenant)}
