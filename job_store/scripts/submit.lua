#!lua
-- Accepts a job: once per id, and once per idempotency key of a tenant. Refused when memory is short, as it is the only
-- script that makes more of it needed. ARGV as in JobStore.submit. Returns 1 if accepted, 0 for a replay, and the record.
local id, tenant, model = ARGV[1], ARGV[2], ARGV[3]
local max_queued, fingerprint, keep_key_ms = tonumber(ARGV[12]), ARGV[14], ARGV[15]
local scene = ARGV[18] ~= '' and KEY.SCENE .. ARGV[18]
local MAX_STEPS = 200 -- of a scene
local once = ARGV[13] ~= '' and KEY.IDEMPOTENCY .. tenant .. ':' .. ARGV[13]

if redis.call('EXISTS', KEY.JOB .. id) == 1 then return {'ok', 1, id, fields(id)} end -- its reply was lost
if once then
  local earlier, reused = earlier_of(once, 'job_id', KEY.JOB, fingerprint)
  if reused then return reused end
  if earlier then return {'ok', 0, earlier, fields(earlier)} end
end
if scene and redis.call('EXISTS', scene) == 0 then return {'missing'} end
if scene and redis.call('HLEN', KEY.SCENE_STEPS .. ARGV[18]) >= MAX_STEPS then return {'scene_full'} end
for i, name in ipairs(LIMITS) do redis.call('HSET', KEY.USUAL_LIMITS, name, ARGV[22 + i]) end
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
  'source_id', ARGV[16], 'replay', ARGV[17], 'scene_id', ARGV[18], 'traceparent', ARGV[6], 'parent_id', ARGV[7], 'created_at', now, 'deadline_at', deadline_at, 'retain_ms', ARGV[9],
  'place', job.place, 'work', ARGV[20], 'shape', ARGV[21], 'remembered_work', ARGV[22], 'webhook_events', ARGV[11], 'attempts', 0, 'crashes', 0, 'commits', 0, 'ends', 0, 'schema', ARGV[27], 'size', ARGV[28])
redis.call('SADD', KEY.MODELS, model)
redis.call('SADD', KEY.TENANTS, tenant)
enter_line(job)
settle(model, tenant)
redis.call('ZADD', KEY.DEADLINES, deadline_at, id)
redis.call('ZADD', KEY.TENANT .. tenant, submitted, id)
redis.call('HINCRBY', KEY.COUNTS, 'accepted', 1)
if once then remember_once(once, 'job_id', id, fingerprint, keep_key_ms) end
tell(job, 'queued', '{}')

-- The job is the scene's newest step. Scene, first picture and all steps are kept for the scene's time from now on.
local function add_step()
  local steps, found = KEY.SCENE_STEPS .. ARGV[18], redis.call('HMGET', scene, 'retain_ms', 'image_id')
  local retain_ms, expires_at = tonumber(found[1]), now + found[1]
  local number = redis.call('HINCRBY', scene, 'steps', 1)
  redis.call('HSET', steps, id, number .. ' ' .. ARGV[7] .. ' ' .. ARGV[19])
  redis.call('HSET', scene, 'head', id, 'head_seed', '', 'updated_at', now, 'expires_at', expires_at)
  redis.call('PEXPIREAT', scene, expires_at)
  redis.call('PEXPIREAT', steps, expires_at)
  if redis.call('EXISTS', KEY.IMAGE .. found[2]) == 1 then
    redis.call('HSET', KEY.IMAGE .. found[2], 'expires_at', expires_at)
    redis.call('PEXPIREAT', KEY.IMAGE .. found[2], expires_at)
    redis.call('ZADD', KEY.IMAGES, expires_at, tenant .. '/' .. found[2])
  end
  for _, step in ipairs(redis.call('HKEYS', steps)) do
    local one = read(step)
    if one then set(one, 'retain_ms', math.max(one.retain_ms, retain_ms)) end
    if one and one.delete_at then
      local delete_at = math.max(one.delete_at, expires_at)
      set(one, 'delete_at', delete_at)
      redis.call('ZADD', KEY.DELETIONS, delete_at, step)
    end
  end
end

if scene then add_step() end
return {'ok', 1, id, fields(id)}
