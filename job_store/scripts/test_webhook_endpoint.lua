#!lua
-- ARGV: endpoint id, tenant, message id, tests a minute at most. A test is due, also to an endpoint that is disabled.
local tests = KEY.WEBHOOK_TESTS .. ARGV[1]
if redis.call('HGET', KEY.WEBHOOK_ENDPOINT .. ARGV[1], 'tenant') ~= ARGV[2] then return {'missing'} end
if redis.call('EXISTS', KEY.DELIVERY .. ARGV[1] .. '/' .. ARGV[3]) == 0 then -- else its reply was lost
  if tonumber(redis.call('GET', tests) or 0) >= tonumber(ARGV[4]) then
    return {'rate', string.format('%.0f', math.max(1, redis.call('PTTL', tests)))}
  end
  if redis.call('INCR', tests) == 1 then redis.call('PEXPIRE', tests, 60000) end
  put_delivery(ARGV[1], ARGV[2], 'webhook_endpoint.test', ARGV[3], ARGV[1])
end
return {'ok'}
