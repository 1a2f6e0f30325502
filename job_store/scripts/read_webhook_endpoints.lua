#!lua flags=no-writes
-- ARGV: endpoint ids. Returns their records, an empty one for an absent endpoint.
local records = {'ok'}
for _, id in ipairs(ARGV) do records[#records + 1] = redis.call('HGETALL', KEY.WEBHOOK_ENDPOINT .. id) end
return records
