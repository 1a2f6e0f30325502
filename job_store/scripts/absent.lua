#!lua flags=no-writes
-- ARGV: job ids. Returns those without a record; nothing if no job was ever accepted, for then this is another store.
local absent = {'ok'}
if redis.call('EXISTS', KEY.LAST_TIME) == 0 then return absent end
for _, id in ipairs(ARGV) do
  if redis.call('EXISTS', KEY.JOB .. id) == 0 then absent[#absent + 1] = id end
end
return absent
