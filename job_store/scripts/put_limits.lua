#!lua flags=allow-oom
-- A tenant's own limits are these and no others. ARGV: tenant, then names and values in turn.
local tenant = ARGV[1]
redis.call('SADD', KEY.TENANTS, tenant)
redis.call('DEL', KEY.LIMITS .. tenant)
if #ARGV > 1 then redis.call('HSET', KEY.LIMITS .. tenant, unpack(ARGV, 2)) end
settle_everywhere(tenant)
return {'ok'}
