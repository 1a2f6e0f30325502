#!lua
-- Accepts a job: once per id, and once per idempotency key of a tenant. Refused when memory is short, as it is the only
-- script that makes more of it needed. ARGV as in JobStore.submit. Returns 1 if accepted, 0 for a replay, and the record.
local id, tenant, model = ARGV[1], ARGV[2], ARGV[3]
local max_queued, fingerprint, keep_key_ms = tonumber(ARGV[12]), ARGV[14], ARGV[15]
local once = ARGV[13] ~= '' and KEY.IDEMPOTENCY .. tenant .. ':' .. ARGV[13]

if redis.call('EXISTS', KEY.JOB .. id) == 1 then return {'ok', 1, id, fields(id)} end -- its reply was lost
if once then
  local earlier = redis.call('HMGET', once, 'job_id', 'fingerprint')
  if earlier[1] and redis.call('EXISTS', KEY.JOB .. earlier[1]) == 1 then
    if earlier[2] ~= fingerprint then return {'reused', earlier[1]} end
    return {'ok', 0, earlier[1], fields(earlier[1])}
  end
end
for i, name in ipairs(LIMITS) do redis.call('HSET', KEY.USUAL_LIMITS, name, ARGV[20 + i]) end
local refused = refusal_of(model, tenant, max_queued)
if refused then return refused end
count_towards_rate(tenant)

-- Strictly rising, even if the clock steps back: the order of lists and lines, and the cursor of lists.
local submitted = math.max(now_us, tonumber(redis.call('GET', KEY.LAST_TIME) or 0) + 1)
redis.call('SET', KEY.LAST_TIME, string.format('%.0f', submitted))
local deadline_at = now + ARGV[8]
local place = submitted + ARGV[10] * 1000
local job = {id = id, tenant = tenant, model = model, place = string.format('%.0f', place)}
set(job, 'tenant', tenant, 'model', model, 'status', 'queued', 'request', ARGV[4], 'source_key', ARGV[5],
  'source_id', ARGV[16], 'replay', ARGV[17], 'traceparent', ARGV[6], 'parent_id', ARGV[7], 'created_at', now, 'deadline_at', deadline_at, 'retain_ms', ARGV[9],
  'place', job.place, 'work', ARGV[18], 'shape', ARGV[19], 'remembered_work', ARGV[20], 'webhook_events', ARGV[11], 'attempts', 0, 'crashes', 0, 'commits', 0, 'ends', 0)
redis.call('SADD', KEY.MODELS, model)
redis.call('SADD', KEY.TENANTS, tenant)
enter_line(job)
settle(model, tenant)
redis.call('ZADD', KEY.DEADLINES, deadline_at, id)
redis.call('ZADD', KEY.TENANT .. tenant, submitted, id)
redis.call('HINCRBY', KEY.COUNTS, 'accepted', 1)
if once then
  redis.call('HSET', once, 'job_id', id, 'fingerprint', fingerprint)
  redis.call('PEXPIRE', once, keep_key_ms)
end
tell(job, 'queued', '{}')
return {'ok', 1, id, fields(id)}
