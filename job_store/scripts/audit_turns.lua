#!lua flags=no-writes
-- ARGV: model, tenant. Returns how many of its jobs wait, how many turns it has, and 1 if as many run as may.
local model, tenant = ARGV[1], ARGV[2]
local turns = 0
for _, index in ipairs({KEY.TURNS, KEY.BULK_TURNS}) do
  if redis.call('ZSCORE', index .. model, tenant) then turns = turns + 1 end
end
local at_cap = redis.call('ZCARD', KEY.RUNNING .. tenant) >= limits_of(tenant).max_running
return {'ok', redis.call('ZCARD', line_of(model, tenant)), turns, at_cap and 1 or 0}
