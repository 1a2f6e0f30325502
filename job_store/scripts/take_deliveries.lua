#!lua flags=allow-oom
-- ARGV: how many at most, lease in ms, how many of one endpoint may be under way, then endpoints and how many of each are.
-- Returns the time, then the deliveries that were due. The try is counted before it is made. What is due to an endpoint that
-- has enough under way is passed over, and put off where there is so much of it that nothing else is seen.
local limit, lease_ms, share = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local LOOKED_AT, PUT_OFF_MS = 2000, 1000
local under_way, passed_over = {}, {}
for i = 4, #ARGV, 2 do under_way[ARGV[i]] = tonumber(ARGV[i + 1]) end

local rows = {'ok', string.format('%.0f', now)}
for _, delivery in ipairs(redis.call('ZRANGEBYSCORE', KEY.OUTBOX, '-inf', now, 'LIMIT', 0, LOOKED_AT)) do
  if #rows - 2 >= limit then break end
  local endpoint = string.match(delivery, '^(.*)/')
  if redis.call('EXISTS', KEY.DELIVERY .. delivery) == 0 then
    redis.call('ZREM', KEY.OUTBOX, delivery)
  elseif (under_way[endpoint] or 0) >= share then
    passed_over[#passed_over + 1] = delivery
  else
    under_way[endpoint] = (under_way[endpoint] or 0) + 1
    redis.call('ZADD', KEY.OUTBOX, now + lease_ms, delivery)
    redis.call('HINCRBY', KEY.DELIVERY .. delivery, 'tries', 1)
    rows[#rows + 1] = redis.call('HGETALL', KEY.DELIVERY .. delivery)
  end
end
if #passed_over > LOOKED_AT / 2 then
  for _, delivery in ipairs(passed_over) do redis.call('ZADD', KEY.OUTBOX, now + PUT_OFF_MS, delivery) end
end
return rows
