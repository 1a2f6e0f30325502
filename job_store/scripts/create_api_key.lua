#!lua
-- ARGV: key id, tenant, name, hash of the secret, scopes, milliseconds it lives or '', how many keys a tenant may have,
-- how many of one name. An expired key is gone by itself: its record has a lifetime.
local id, tenant, name = ARGV[1], ARGV[2], ARGV[3]
local ids = KEY.API_KEYS .. tenant
if redis.call('EXISTS', KEY.API_KEY .. id) == 1 then return {'ok'} end -- its reply was lost
local created_at, same = now, 0
for _, other in ipairs(redis.call('SMEMBERS', ids)) do
  local found = redis.call('HMGET', KEY.API_KEY .. other, 'created_at', 'name')
  if not found[1] then
    redis.call('SREM', ids, other)
  else
    created_at = math.max(created_at, 1 + tonumber(found[1])) -- "oldest first" holds within a millisecond too
    if found[2] == name then same = same + 1 end
  end
end
if same >= tonumber(ARGV[8]) or redis.call('SCARD', ids) >= tonumber(ARGV[7]) then return {'too_many_keys'} end
redis.call('HSET', KEY.API_KEY .. id, 'tenant', tenant, 'name', name, 'hash', ARGV[4], 'scopes', ARGV[5],
  'created_at', created_at)
redis.call('SADD', ids, id)
if ARGV[6] ~= '' then expire_key(id, tonumber(ARGV[6])) end
return {'ok'}
