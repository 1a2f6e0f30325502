-- Shared by all scripts; KEY and ERROR stand above it. A script sees one moment, that of the server's clock at its start.
local clock = redis.call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
local now = math.floor(now_us / 1000)
local MAX_EVENTS = 2000

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

local function put_in_outbox(job, status)
  local event = 'insertion.' .. status
  if not string.find(job.webhook_events, event .. ' ', 1, true) then return end
  local delivery = 'msg_' .. job.id -- a job ends once, so it has one delivery
  redis.call('HSET', KEY.DELIVERY .. delivery, 'id', delivery, 'job_id', job.id, 'tenant', job.tenant, 'event', event,
    'created_at', now, 'tries', 0, 'state', 'pending')
  redis.call('ZADD', KEY.OUTBOX, now, delivery)
end

-- The only way into a terminal state. Further arguments: fields that go with it. Returns the status.
local function finish(job, status, ...)
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

-- Forgets an ended job; its artifacts are left to whoever empties PURGES.
local function purge(job)
  redis.call('SADD', KEY.PURGES, job.tenant .. '/' .. job.id)
  redis.call('ZREM', KEY.DELETIONS, job.id)
  redis.call('ZREM', KEY.TENANT .. job.tenant, job.id)
  redis.call('DEL', KEY.JOB .. job.id, KEY.EVENTS .. job.id, KEY.HOLDER .. (job.source_id or ''))
end
