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

-- A tenant's weight and limits: its own, or else those that the settings gave at the last submission.
local LIMITS = {'weight', 'max_running', 'max_queued', 'per_minute'}
local function limits_of(tenant)
  local own = redis.call('HMGET', KEY.LIMITS .. tenant, unpack(LIMITS))
  local usual = redis.call('HMGET', KEY.USUAL_LIMITS, unpack(LIMITS))
  local found = {}
  for i, name in ipairs(LIMITS) do
    found[name] = tonumber(own[i] or usual[i] or (name == 'weight' and 1 or math.huge))
  end
  return found
end

-- What the workers say of themselves that spoke lately.
local function worker_states()
  local names, found = redis.call('SMEMBERS', KEY.WORKERS), {}
  for first = 1, #names, 1000 do
    local keys = {}
    for i = first, math.min(first + 999, #names) do keys[#keys + 1] = KEY.WORKER .. names[i] end
    for _, told in ipairs(redis.call('MGET', unpack(keys))) do
      if told then found[#found + 1] = cjson.decode(told) end
    end
  end
  return found
end

local function line_of(model, tenant)
  return KEY.LINE .. model .. ':' .. tenant
end

-- A tenant's waiting jobs, of all models.
local function queued_of(tenant)
  local count = 0
  for _, model in ipairs(redis.call('SMEMBERS', KEY.MODELS)) do
    count = count + redis.call('ZCARD', line_of(model, tenant))
  end
  return count
end

-- The generic cell rate algorithm (ITU-T I.371): a minute's jobs may come at once, then one each minute / per_minute.
local MINUTE_US = 60000000
local function rate_wait_ms(tenant, per_minute)
  if per_minute <= 0 then return MINUTE_US / 1000 end
  local due = math.max(now_us, tonumber(redis.call('GET', KEY.RATE .. tenant) or 0)) + MINUTE_US / per_minute
  return math.max(0, math.ceil((due - now_us - MINUTE_US) / 1000 - 0.001))
end

local function count_towards_rate(tenant)
  local interval = MINUTE_US / limits_of(tenant).per_minute
  local due = math.max(now_us, tonumber(redis.call('GET', KEY.RATE .. tenant) or 0)) + interval
  redis.call('SET', KEY.RATE .. tenant, string.format('%.0f', due), 'PX', 120000)
end

-- Why a tenant's job is not accepted now, as a script returns it; nil if it is.
local function refusal_of(model, tenant, max_queued)
  local limits = limits_of(tenant)
  if redis.call('ZCARD', KEY.READY .. model) >= max_queued then return {'full'} end
  if queued_of(tenant) >= limits.max_queued then return {'quota'} end
  local wait_ms = rate_wait_ms(tenant, limits.per_minute)
  if wait_ms > 0 then return {'rate', string.format('%.0f', wait_ms)} end
end

-- Jobs whose place is not after this moment are ripe: all but bulk jobs that have not aged yet.
local function ripe_until()
  return math.max(now_us, tonumber(redis.call('GET', KEY.LAST_TIME) or 0))
end

-- Start-time fair queueing (Goyal, Vin and Cheng 1996): what a tenant was served, by its weight. One that had no work has
-- no credit from that time: it starts with those that are served now.
local function served(model, tenant)
  local virtual = tonumber(redis.call('GET', KEY.VIRTUAL_TIME .. model) or 0)
  return math.max(virtual, tonumber(redis.call('ZSCORE', KEY.SERVED .. model, tenant) or 0))
end

-- Notes whether a tenant has a turn in a model's line, after anything that may change it.
local function settle(model, tenant)
  redis.call('ZREM', KEY.TURNS .. model, tenant)
  redis.call('ZREM', KEY.BULK_TURNS .. model, tenant)
  redis.call('ZREM', KEY.RIPENING .. model, tenant)
  local first = redis.call('ZRANGE', line_of(model, tenant), 0, 0, 'WITHSCORES')
  if not first[1] then return redis.call('SREM', KEY.WAITING .. model, tenant) end
  redis.call('SADD', KEY.WAITING .. model, tenant)
  if redis.call('ZCARD', KEY.RUNNING .. tenant) >= limits_of(tenant).max_running then return end
  local score = served(model, tenant)
  if tonumber(first[2]) <= ripe_until() then return redis.call('ZADD', KEY.TURNS .. model, score, tenant) end
  redis.call('ZADD', KEY.BULK_TURNS .. model, score, tenant)
  redis.call('ZADD', KEY.RIPENING .. model, first[2], tenant)
end

-- The same in all lines: one more or one less of its jobs runs, or its limits have changed.
local function settle_everywhere(tenant)
  for _, model in ipairs(redis.call('SMEMBERS', KEY.MODELS)) do settle(model, tenant) end
end

-- What a job is charged for: less where a worker ran its source lately and should remember it. Fixed when it starts.
local function work_of(id)
  local job = redis.call('HMGET', KEY.JOB .. id, 'charged', 'work', 'remembered_work', 'source_id')
  if job[1] then return tonumber(job[1]) end
  local known = job[3] and job[4] and redis.call('EXISTS', KEY.HOLDER .. job[4]) == 1
  return known and tonumber(job[3]) or tonumber(job[2] or 1)
end

local function enter_line(job)
  redis.call('ZADD', KEY.READY .. job.model, job.place, job.id)
  redis.call('ZADD', line_of(job.model, job.tenant), job.place, job.id)
end

local function leave_line(job)
  redis.call('ZREM', KEY.READY .. job.model, job.id)
  redis.call('ZREM', line_of(job.model, job.tenant), job.id)
end

local function runs_under(job, token)
  return job and job.status == 'running' and job.token == token
end

-- Where the newest entry of a list stands: strictly rising even if the clock steps back, as it is the list's cursor.
local function newest_place(list)
  local last = redis.call('ZRANGE', list, -1, -1, 'WITHSCORES')[2]
  return string.format('%.0f', math.max(now_us, tonumber(last or 0) + 1))
end

-- Adds a record to a list of them, and forgets a few of the oldest that are gone (they lay at prefix and id).
local function list_newest(list, prefix, id)
  local place = newest_place(list)
  for _, old in ipairs(redis.call('ZRANGE', list, 0, 9)) do
    if redis.call('EXISTS', prefix .. old) == 0 then redis.call('ZREM', list, old) end
  end
  redis.call('ZADD', list, place, id)
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
  redis.call('HSET', KEY.DELIVERY .. delivery, 'id', message, 'endpoint', endpoint, 'tenant', tenant, 'event', event,
    'resource', resource, 'created_at', now, 'tries', 0, 'replayed', 0, 'state', 'pending')
  redis.call('ZADD', KEY.OUTBOX, now, delivery)
  redis.call('ZADD', log, newest_place(log), message)
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

-- Canceled while queued or while running, failed with which code; those that crashed their workers are kept apart.
local function count_reason(job, status, error)
  local reason = status == 'canceled' and job.status or status == 'failed' and cjson.decode(error).code
  if reason then redis.call('HINCRBY', KEY.REASONS, status .. ' ' .. reason, 1) end
  if reason == 'worker_crashed' then redis.call('ZADD', KEY.DEAD, now, job.id) end
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
  leave_line(job)
  redis.call('ZREM', KEY.RUNNING .. job.tenant, job.id)
  redis.call('ZREM', KEY.LEASES, job.id)
  redis.call('ZREM', KEY.DEADLINES, job.id)
  settle_everywhere(job.tenant)
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
  redis.call('HDEL', KEY.JOB .. job.id, 'token', 'worker', 'progress', 'charged')
  set(job, 'status', 'queued', 'released', job.token, 'ready_at', now)
  redis.call('HINCRBY', KEY.REASONS, crashed == 1 and 'requeued crashed' or 'requeued stopped', 1)
  redis.call('ZREM', KEY.RUNNING .. job.tenant, job.id)
  enter_line(job)
  settle_everywhere(job.tenant)
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
  redis.call('ZREM', KEY.DEAD, job.id)
  redis.call('ZREM', KEY.TENANT .. job.tenant, job.id)
  redis.call('DEL', KEY.JOB .. job.id, KEY.EVENTS .. job.id, KEY.HOLDER .. (job.source_id or ''))
end

-- Ends a job that waits, has one that runs stop. Returns whether it was not too late.
local function cancel(job)
  if job.status == 'queued' then
    finish(job, 'canceled')
  elseif job.status == 'running' then
    set(job, 'cancel_requested', 1)
  else
    return false
  end
  return true
end

-- Forgets a job now; one that runs, as soon as it has stopped. Returns whether it is gone.
local function forget(job)
  if job.status == 'running' then
    set(job, 'cancel_requested', 1, 'retain_ms', 0)
    return false
  end
  if job.status == 'queued' then finish(job, 'canceled') end
  purge(job)
  return true
end

-- What an idempotency key made before, where that is still there: its id; or else how a script refuses another body.
local function earlier_of(once, kind, prefix, fingerprint)
  local found = redis.call('HMGET', once, kind, 'fingerprint')
  if not found[1] or redis.call('EXISTS', prefix .. found[1]) == 0 then return nil end
  if found[2] ~= fingerprint then return nil, {'reused', found[1]} end
  return found[1]
end

local function remember_once(once, kind, id, fingerprint, keep_ms)
  redis.call('HSET', once, kind, id, 'fingerprint', fingerprint)
  redis.call('PEXPIRE', once, keep_ms)
end

-- An API key is gone so many milliseconds from now.
local function expire_key(id, ms)
  redis.call('HSET', KEY.API_KEY .. id, 'expires_at', now + ms)
  redis.call('PEXPIREAT', KEY.API_KEY .. id, now + ms)
end
