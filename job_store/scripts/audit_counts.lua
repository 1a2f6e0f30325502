#!lua flags=no-writes
-- Returns how many jobs were accepted and how they ended, as names and numbers in turn, and how many are open.
return {'ok', redis.call('HGETALL', KEY.COUNTS), redis.call('ZCARD', KEY.DEADLINES)}
