#!lua flags=no-writes
-- ARGV: model. Returns how many of its waiting jobs might start now, were there workers enough.
local model, count = ARGV[1], 0
if redis.call('SISMEMBER', KEY.PAUSED, model) == 1 then return {'ok', 0} end
for _, turns in ipairs({KEY.TURNS, KEY.BULK_TURNS}) do
  for _, tenant in ipairs(redis.call('ZRANGE', turns .. model, 0, 199)) do
    local room = limits_of(tenant).max_running - redis.call('ZCARD', KEY.RUNNING .. tenant)
    count = count + math.min(redis.call('ZCOUNT', line_of(model, tenant), 0, '+inf'), room)
  end
end
return {'ok', count + redis.call('ZCOUNT', KEY.READY .. model, '-inf', '(0')}
