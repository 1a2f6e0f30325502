#!lua flags=no-writes
-- ARGV: the number that a worker has heard of, '' if it remembers nothing yet. Returns the latest number, 1 if everything is
-- to be forgotten because what was missed is listed no more, and the sources forgotten since.
local number, heard = tonumber(redis.call('GET', KEY.FORGOTTEN_NUMBER) or 0), tonumber(ARGV[1])
local missed = number - (heard or number)
if missed < 0 or missed > redis.call('LLEN', KEY.FORGOTTEN) then return {'ok', number, 1, {}} end
return {'ok', number, 0, missed > 0 and redis.call('LRANGE', KEY.FORGOTTEN, -missed, -1) or {}}
