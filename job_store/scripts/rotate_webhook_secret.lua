#!lua flags=allow-oom
-- ARGV: endpoint id, or 'default/' and the tenant, the tenant, the new secret's id, for how many ms the secrets before sign
-- as well, how many of them at most. Returns the record.
local key, tenant, secret_id, until_ms = KEY.WEBHOOK_ENDPOINT .. ARGV[1], ARGV[2], ARGV[3], now + ARGV[4]
local found = redis.call('HMGET', key, 'tenant', 'secret_id', 'old_secrets')
if found[1] ~= tenant and ARGV[1] ~= 'default/' .. tenant then return {'missing'} end
if found[2] == secret_id then return {'ok', redis.call('HGETALL', key)} end -- its reply was lost

local old = {(found[2] or '') .. ':' .. string.format('%.0f', until_ms)}
for id, ends in string.gmatch(found[3] or '', '(%x*):(%d+)') do
  if #old < tonumber(ARGV[5]) then old[#old + 1] = id .. ':' .. string.format('%.0f', math.min(ends, until_ms)) end
end
redis.call('HSET', key, 'tenant', tenant, 'secret_id', secret_id, 'old_secrets', table.concat(old, ' '))
return {'ok', redis.call('HGETALL', key)}
