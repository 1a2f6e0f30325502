#!lua flags=allow-oom
-- ARGV: endpoint id, or 'default/' and the tenant, 1 if only what failed, then message ids. They are due now, with all their
-- tries before them. Returns how many.
local endpoint, count = ARGV[1], 0
if redis.call('HGET', KEY.WEBHOOK_ENDPOINT .. endpoint, 'enabled') == '0' then return {'endpoint_disabled'} end
for i = 3, #ARGV do
  local delivery = endpoint .. '/' .. ARGV[i]
  local key = KEY.DELIVERY .. delivery
  local found = redis.call('HMGET', key, 'state', 'tries')
  if found[1] == 'failed' or (found[1] and ARGV[2] == '0') then
    redis.call('PERSIST', key)
    redis.call('PERSIST', KEY.ATTEMPTS .. delivery)
    redis.call('HSET', key, 'state', 'pending', 'replayed', found[2])
    redis.call('HDEL', key, 'why', 'settled_at')
    redis.call('ZADD', KEY.OUTBOX, now, delivery)
    count = count + 1
  end
end
if count > 0 then redis.call('PEXPIRE', KEY.DELIVERIES .. endpoint, LOG_MS) end
return {'ok', count}
