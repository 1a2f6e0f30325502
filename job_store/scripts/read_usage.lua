#!lua flags=no-writes
-- ARGV: tenant, first day and last day since 1970. Returns the fields and values of each day, none for one without jobs.
local days = {'ok'}
for day = ARGV[2], ARGV[3] do days[#days + 1] = redis.call('HGETALL', KEY.USAGE .. ARGV[1] .. ':' .. day) end
return days
