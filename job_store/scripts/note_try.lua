#!lua flags=allow-oom
-- What became of a try. ARGV: delivery, number of the try, its record as JSON or '' where none was made, what is next
-- (delivered, failed, retry, gone), why or when in ms, for how many ms a settled delivery is kept, how many tries are kept,
-- after how many ms of failing its endpoint is disabled, after how many ms without a failure that counts anew.
local delivery, number, try, fate, detail = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local keep_ms, kept, patience_ms, quiet_ms = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local key, tries = KEY.DELIVERY .. delivery, KEY.ATTEMPTS .. delivery
local found = redis.call('HMGET', key, 'endpoint', 'tries', 'event', 'tenant')
if not found[1] then return {'ok'} end
local endpoint = KEY.WEBHOOK_ENDPOINT .. found[1]

local function settle(state, why)
  if redis.call('ZREM', KEY.OUTBOX, delivery) == 0 then return end -- settled before
  redis.call('HSET', key, 'state', state, 'why', why, 'settled_at', now)
  redis.call('PEXPIRE', key, keep_ms)
end

local function disable(reason)
  if redis.call('HGET', endpoint, 'enabled') ~= '1' then return end -- also of one that is no more, and of 'default'
  redis.call('HSET', endpoint, 'enabled', 0, 'disabled_reason', reason, 'disabled_at', now)
  tell_endpoints(found[4], 'webhook_endpoint.disabled', string.format('msg_%s_%.0f', found[1], now), found[1])
end

local function note_failing()
  if redis.call('HEXISTS', endpoint, 'url') == 0 or found[3] == 'webhook_endpoint.test' then return end
  local failed_at = redis.call('HGET', endpoint, 'failed_at')
  if not failed_at or now - failed_at > quiet_ms then redis.call('HDEL', endpoint, 'failing_since') end
  redis.call('HSET', endpoint, 'failed_at', now)
  redis.call('HSETNX', endpoint, 'failing_since', now)
  if now - redis.call('HGET', endpoint, 'failing_since') >= patience_ms then disable('failing') end
end

if try ~= '' then
  redis.call('RPUSH', tries, try)
  redis.call('LTRIM', tries, -kept, -1)
  redis.call('HINCRBY', KEY.WEBHOOK_TRIES, fate == 'delivered' and 'succeeded' or 'failed', 1)
end
if fate == 'delivered' then
  settle('delivered', '')
  redis.call('HDEL', endpoint, 'failing_since', 'failed_at')
elseif found[2] == number then -- the failure of a try that another one overtook decides nothing
  if fate == 'retry' then redis.call('ZADD', KEY.OUTBOX, 'XX', detail, delivery) else settle('failed', detail) end
  if fate == 'gone' then disable('gone') elseif try ~= '' then note_failing() end
end
if redis.call('EXISTS', tries) == 1 then
  local left = redis.call('PTTL', key)
  if left > 0 then redis.call('PEXPIRE', tries, left) end
end
return {'ok'}
