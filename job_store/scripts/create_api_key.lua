#!lua
-- ARGV: key id, tenant, name, hash of the secret, how many keys a tenant may have.
local ids = KEY.API_KEYS .. ARGV[2]
if redis.call('EXISTS', KEY.API_KEY .. ARGV[1]) == 1 then return {'ok'} end -- its reply was lost
if redis.call('SCARD', ids) >= tonumber(ARGV[5]) then return {'too_many_keys'} end
local created_at = now
for _, other in ipairs(redis.call('SMEMBERS', ids)) do -- "oldest first" holds within a millisecond too
  created_at = math.max(created_at, 1 + tonumber(redis.call('HGET', KEY.API_KEY .. other, 'created_at')))
end
redis.call('HSET', KEY.API_KEY .. ARGV[1], 'tenant', ARGV[2], 'name', ARGV[3], 'hash', ARGV[4], 'created_at', created_at)
redis.call('SADD', ids, ARGV[1])
return {'ok'}
