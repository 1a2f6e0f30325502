#!lua flags=no-writes
-- ARGV: deliveries. Returns of each its record (empty if absent), when it is due ('' if it is not) and its tries.
local rows = {'ok'}
for _, delivery in ipairs(ARGV) do
  rows[#rows + 1] = {redis.call('HGETALL', KEY.DELIVERY .. delivery), redis.call('ZSCORE', KEY.OUTBOX, delivery) or '',
    redis.call('LRANGE', KEY.ATTEMPTS .. delivery, 0, -1)}
end
return rows
