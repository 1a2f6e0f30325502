#!lua flags=no-writes
-- ARGV: scene ids. Returns of each its record (empty if absent) and its steps.
local rows = {'ok'}
for _, id in ipairs(ARGV) do
  rows[#rows + 1] = {redis.call('HGETALL', KEY.SCENE .. id), redis.call('HGETALL', KEY.SCENE_STEPS .. id)}
end
return rows
