#!lua flags=no-writes
-- ARGV: batch ids. Returns of each its record (empty if absent) and its lines.
local rows = {'ok'}
for _, id in ipairs(ARGV) do
  rows[#rows + 1] = {redis.call('HGETALL', KEY.BATCH .. id), redis.call('HGETALL', KEY.BATCH_LINES .. id)}
end
return rows
