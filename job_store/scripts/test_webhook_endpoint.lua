#!lua
-- ARGV: endpoint id, tenant, message id. A test is due, also to an endpoint that is disabled.
if redis.call('HGET', KEY.WEBHOOK_ENDPOINT .. ARGV[1], 'tenant') ~= ARGV[2] then return {'missing'} end
if redis.call('EXISTS', KEY.DELIVERY .. ARGV[1] .. '/' .. ARGV[3]) == 0 then -- else its reply was lost
  put_delivery(ARGV[1], ARGV[2], 'webhook_endpoint.test', ARGV[3], ARGV[1])
end
return {'ok'}
