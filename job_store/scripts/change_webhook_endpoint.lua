#!lua flags=allow-oom
-- ARGV: endpoint id, tenant, then fields and values in turn. Returns the record.
local key = KEY.WEBHOOK_ENDPOINT .. ARGV[1]
if redis.call('HGET', key, 'tenant') ~= ARGV[2] then return {'missing'} end
for i = 3, #ARGV, 2 do
  redis.call('HSET', key, ARGV[i], ARGV[i + 1])
  if ARGV[i] == 'url' then redis.call('HDEL', key, 'failing_since', 'failed_at') end
  if ARGV[i] == 'enabled' then redis.call('HDEL', key, 'failing_since', 'failed_at', 'disabled_reason', 'disabled_at') end
end
return {'ok', redis.call('HGETALL', key)}
