#!lua
-- ARGV: key id, tenant, name, hash of the secret, how many keys a tenant may have.
local ids = KEY.API_KEYS .. ARGV[2]
if redis.call('EXISTS', KEY.API_KEY .. ARGV[1]) == 1 then return {'ok'} end -- its reply was lost
if redis.call('SCARD', ids) >= tonumber(ARGV[5]) then return {'too_many_keys'} end
redis.call('HSET', KEY.API_KEY .. ARGV[1], 'tenant', ARGV[2], 'name', ARGV[3], 'hash', ARGV[4], 'created_at', now)
redis.call('SADD', ids, ARGV[1])
return {'ok'}
