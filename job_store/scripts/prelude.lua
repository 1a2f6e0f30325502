-- Shared by all scripts; KEY and ERROR stand above it. A script sees one moment, that of the server's clock at its start.
local clock = redis.call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
local now = math.floor(now_us / 1000)
local MAX_EVENTS = 2000
local MAX_DELIVERIES = 1000 -- in an endpoint's log, those to be sent aside
local LOG_MS = 45 * 86400000 -- beyond the time that the last delivery is kept
local USAGE_MS = 400 * 86400000 -- a year's days can be compared with the last year's
local MOST_FORGOTTEN, FORGOTTEN_MS = 10000, 3600000 -- listed at most; a worker that missed more forgets everything

local function read(id)
  local flat = redis.call('HGETALL', KEY.JOB .. id)
  if #flat == 0 then return nil end
  local job = {id = id}
  for i = 1, #flat, 2 do job[flat[i]] = flat[i + 1] end
  return job
end

-- The record's fields and values in turn, as Python decodes them.
local function fields(id)
  return redis.call('HGETALL', KEY.JOB .. id)
end

local function set(job, ...)
  redis.call('HSET', KEY.JOB .. job.id, ...)
end

local function tell(job, kind, data)
  redis.call('XADD', KEY.EVENTS .. job.id, 'MAXLEN', '~', MAX_EVENTS, '*', 'type', kind, 'data', data)
end

local function runs_under(job, token)
  return job and job.status == 'running' and job.token == token
end

-- Forgets a few of the oldest of an endpoint's log when it is too long, never what is still to be sent.
local function trim_log(endpoint)
  local log = KEY.DELIVERIES .. endpoint
  local surplus = redis.call('ZCARD', log) - MAX_DELIVERIES
  for _, message in ipairs(redis.call('ZRANGE', log, 0, 9)) do
    local delivery = endpoint .. '/' .. message
    local state = redis.call('HGET', KEY.DELIVERY .. delivery, 'state')
    if not state or (surplus > 0 and state ~= 'pending') then
      redis.call('ZREM', log, message)
      redis.call('DEL', KEY.DELIVERY .. delivery, KEY.ATTEMPTS .. delivery)
      surplus = surplus - 1
    end
  end
end

-- A message is due to an endpoint (its id, or 'default/' and the tenant). resource: whose event it is.
local function put_delivery(endpoint, tenant, event, message, resource)
  local log, delivery = KEY.DELIVERIES .. endpoint, endpoint .. '/' .. message
  local last = redis.call('ZRANGE', log, -1, -1, 'WITHSCORES')[2]
  local place = math.max(now_us, tonumber(last or 0) + 1) -- strictly rising: the cursor of the log
  redis.call('HSET', KEY.DELIVERY .. delivery, 'id', message, 'endpoint', endpoint, 'tenant', tenant, 'event', event,
    'resource', resource, 'created_at', now, 'tries', 0, 'replayed', 0, 'state', 'pending')
  redis.call('ZADD', KEY.OUTBOX, now, delivery)
  redis.call('ZADD', log, string.format('%.0f', place), message)
  redis.call('PEXPIRE', log, LOG_MS)
  trim_log(endpoint)
end

-- Tells all endpoints of a tenant that want to know.
local function tell_endpoints(tenant, event, message, resource)
  for _, endpoint in ipairs(redis.call('SMEMBERS', KEY.WEBHOOK_ENDPOINTS .. tenant)) do
    local found = redis.call('HMGET', KEY.WEBHOOK_ENDPOINT .. endpoint, 'enabled', 'events')
    if found[1] == '1' and string.find(found[2], event .. ' ', 1, true) then
      put_delivery(endpoint, tenant, event, message, resource)
    end
  end
end

local function put_in_outbox(job, status)
  local event, message = 'insertion.' .. status, 'msg_' .. job.id -- a job ends once, so it has one message
  if string.find(job.webhook_events, event .. ' ', 1, true) then
    put_delivery('default/' .. job.tenant, job.tenant, event, message, job.id)
  end
  tell_endpoints(job.tenant, event, message, job.id)
end

-- Canceled while queued or while running, failed with which code.
local function count_reason(job, status, error)
  local reason = status == 'canceled' and job.status or status == 'failed' and cjson.decode(error).code
  if reason then redis.call('HINCRBY', KEY.REASONS, status .. ' ' .. reason, 1) end
end

-- What a tenant's jobs of a UTC day came to.
local function count_usage(job, status, told)
  local day = KEY.USAGE .. job.tenant .. ':' .. math.floor(now / 86400000)
  redis.call('HINCRBY', day, status, 1)
  redis.call('PEXPIRE', day, USAGE_MS)
  if status ~= 'succeeded' then return end
  local cost = cjson.decode(told).cost
  redis.call('HINCRBYFLOAT', day, 'gpu_seconds', cost.gpu_seconds)
  redis.call('HINCRBY', day, 'stored_bytes', cost.stored_bytes or 0)
end

-- The only way into a terminal state. Further arguments: fields that go with it. Returns the status.
local function finish(job, status, ...)
  count_reason(job, status, select(2, ...))
  count_usage(job, status, select(2, ...))
  local delete_at = now + job.retain_ms
  redis.call('ZREM', KEY.READY .. job.model, job.id)
  redis.call('ZREM', KEY.LEASES, job.id)
  redis.call('ZREM', KEY.DEADLINES, job.id)
  redis.call('ZADD', KEY.DELETIONS, delete_at, job.id)
  set(job, 'status', status, 'completed_at', now, 'delete_at', delete_at, ...)
  redis.call('HINCRBY', KEY.JOB .. job.id, 'ends', 1)
  redis.call('HINCRBY', KEY.COUNTS, status, 1)
  tell(job, 'completed', '{"status":"' .. status .. '"}')
  put_in_outbox(job, status)
  return status
end

-- Ends a job that is past its deadline: expired if it was never started.
local function end_late(job)
  if tonumber(job.attempts) == 0 then return finish(job, 'expired') end
  return finish(job, 'failed', 'error', ERROR.deadline_exceeded)
end

-- Takes a running job from its worker: back to its old place in the line, or to its end. Returns the new status.
local function give_back(job, crashed, max_crashes)
  local crashes = job.crashes + crashed
  set(job, 'crashes', crashes)
  if job.cancel_requested then return finish(job, 'canceled') end
  if crashed == 1 and crashes >= max_crashes then return finish(job, 'failed', 'error', ERROR.worker_crashed) end
  if tonumber(job.deadline_at) <= now then return end_late(job) end
  redis.call('ZREM', KEY.LEASES, job.id)
  redis.call('HDEL', KEY.JOB .. job.id, 'token', 'worker', 'progress')
  set(job, 'status', 'queued', 'released', job.token)
  redis.call('ZADD', KEY.READY .. job.model, job.place, job.id)
  tell(job, 'queued', '{}')
  return 'queued'
end

-- Whether or not other jobs have the same source: what workers remember of it goes, and costs them a pass to learn again.
local function forget_source(source_id)
  redis.call('INCR', KEY.FORGOTTEN_NUMBER)
  redis.call('RPUSH', KEY.FORGOTTEN, source_id)
  redis.call('LTRIM', KEY.FORGOTTEN, -MOST_FORGOTTEN, -1)
  redis.call('PEXPIRE', KEY.FORGOTTEN, FORGOTTEN_MS)
end

-- Forgets an ended job; its artifacts are left to whoever empties PURGES, its source's memory to the workers.
local function purge(job)
  if job.source_id then forget_source(job.source_id) end
  redis.call('SADD', KEY.PURGES, job.tenant .. '/' .. job.id)
  redis.call('ZREM', KEY.DELETIONS, job.id)
  redis.call('ZREM', KEY.TENANT .. job.tenant, job.id)
  redis.call('DEL', KEY.JOB .. job.id, KEY.EVENTS .. job.id, KEY.HOLDER .. (job.source_id or ''))
end
