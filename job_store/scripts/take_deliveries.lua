#!lua flags=allow-oom
-- ARGV: how many at most, lease in ms, how many of one endpoint may be under way, then endpoints and how many of each are.
-- Returns the time, then the deliveries that were due. The try is counted before it is made. What is due to an endpoint that
-- has enough under way is put off a little, so that it does not stand before the others.
local limit, lease_ms, share = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local LOOKED_AT, PUT_OFF_MS = 200, 1000
local under_way = {}
for i = 4, #ARGV, 2 do under_way[ARGV[i]] = tonumber(ARGV[i + 1]) end

local rows = {'ok', string.format('%.0f', now)}
for _, delivery in ipairs(redis.call('ZRANGEBYSCORE', KEY.OUTBOX, '-inf', now, 'LIMIT', 0, LOOKED_AT)) do
  local endpoint = redis.call('HGET', KEY.DELIVERY .. delivery, 'endpoint')
  if #rows - 2 >= limit then break end
  if not endpoint then
    redis.call('ZREM', KEY.OUTBOX, delivery)
  elseif (under_way[endpoint] or 0) >= share then
    redis.call('ZADD', KEY.OUTBOX, now + PUT_OFF_MS, delivery)
  else
    under_way[endpoint] = (under_way[endpoint] or 0) + 1
    redis.call('ZADD', KEY.OUTBOX, now + lease_ms, delivery)
    redis.call('HINCRBY', KEY.DELIVERY .. delivery, 'tries', 1)
    rows[#rows + 1] = redis.call('HGETALL', KEY.DELIVERY .. delivery)
  end
end
return rows
