#!lua flags=allow-oom
-- ARGV: how many at most, lease in ms. Returns the time, then the deliveries that were due. The try is counted before it is made.
local rows = {'ok', string.format('%.0f', now)}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEY.OUTBOX, '-inf', now, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZADD', KEY.OUTBOX, now + ARGV[2], id)
  redis.call('HINCRBY', KEY.DELIVERY .. id, 'tries', 1)
  rows[#rows + 1] = redis.call('HGETALL', KEY.DELIVERY .. id)
end
return rows
