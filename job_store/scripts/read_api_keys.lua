#!lua flags=no-writes
-- ARGV: key ids. Returns their records, an empty one for an absent key.
local records = {'ok'}
for _, id in ipairs(ARGV) do records[#records + 1] = redis.call('HGETALL', KEY.API_KEY .. id) end
return records
