#!lua flags=allow-oom
-- A job of a model's line starts running: one that was moved to the front, or one of the tenant that was served least by
-- its weight. Of that tenant's the first, or one a little behind it whose source the worker holds. Jobs that are left to
-- another worker, which holds their source and is idle or soon will be, are passed over.
-- ARGV: model, worker, lease in ms, token, how much later a job may stand to go first, how long a job may wait for
-- an idle worker that holds its source, ms of its being remembered, the newest schema of records that this worker knows,
-- how long a job may wait for a busy one, what the job must be like (`company.Company`) or nothing, then the sources that
-- it holds.
-- Returns its id and record, or nothing; `elsewhere` where all that is left should be asked for by others, and whether one of
-- those is idle; `unfit` where the job in turn is not like that; `drained`. With the same token again: the same job again.
local model, worker, lease_ms, token = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local ahead_ms, patience_ms, remembered_ms, schema = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])
local busy_patience_ms = tonumber(ARGV[9])
local company = ARGV[10] ~= '' and cjson.decode(ARGV[10])
local LOOKED_AT = 32 -- jobs behind the first
local MOST_LEFT = 8 -- jobs in one claim
local TENANTS_LOOKED_AT = 100 -- whose first job a newer release made
local MOST_RIPENED = 100 -- tenants in one claim
local holds = {}
for i = 11, #ARGV do holds[ARGV[i]] = true end
local left, left_count, left_to_idle = {}, 0, false

local given = redis.call('GET', KEY.CLAIM .. token)
if given and runs_under(read(given), token) then return {'ok', given, fields(given)} end
if redis.call('SISMEMBER', KEY.DRAINED, worker) == 1 then return {'drained'} end
if redis.call('SISMEMBER', KEY.PAUSED, model) == 1 then return {'ok'} end

-- Charges a tenant for a job. Who was served no more than the one in turn is as if never served.
local function charge(job)
  local before, in_turn = served(model, job.tenant), tonumber(job.place) >= 0 and left_count == 0
  local work = work_of(job.id)
  local after = before + work / limits_of(job.tenant).weight
  set(job, 'charged', work)
  redis.call('ZADD', KEY.SERVED .. model, after, job.tenant)
  if not in_turn then return end
  redis.call('SET', KEY.VIRTUAL_TIME .. model, before)
  redis.call('ZREMRANGEBYSCORE', KEY.SERVED .. model, '-inf', before)
end

-- Whether the worker can take the job beside those that it has.
local function fits(job)
  if not company then return true end
  if tonumber(job.crashes) > 0 then return false end
  if company.size == '' then return true end
  if job.size ~= company.size or job.source_id == company.source_id then return false end
  if now - (job.ready_at or job.created_at) < company.waited_ms then return false end
  local request = cjson.decode(job.request)
  return request.mode == 'exact' and #request.seeds <= company.rows and not next(request.loras)
end

local function start(job)
  if not fits(job) then return {'unfit'} end
  charge(job)
  leave_line(job)
  redis.call('ZADD', KEY.RUNNING .. job.tenant, now, job.id)
  settle_everywhere(job.tenant)
  redis.call('ZADD', KEY.LEASES, now + lease_ms, job.id)
  redis.call('SET', KEY.CLAIM .. token, job.id, 'PX', lease_ms)
  redis.call('HSETNX', KEY.JOB .. job.id, 'started_at', now)
  local attempts = redis.call('HINCRBY', KEY.JOB .. job.id, 'attempts', 1)
  set(job, 'status', 'running', 'worker', worker, 'token', token, 'claimed_at', now)
  redis.call('SET', KEY.HOLDER .. (job.source_id or ''), worker, 'PX', remembered_ms)
  redis.call('SET', KEY.IDLE .. worker, job.id, 'PX', lease_ms)
  tell(job, 'started', '{"attempt":' .. attempts .. '}')
  return {'ok', job.id, fields(job.id)}
end

-- Whether this worker's release knows all that a job may ask for, else it is left to a newer one's; and whether it is
-- not left to another worker.
local function known(id)
  return not left[id] and tonumber(redis.call('HGET', KEY.JOB .. id, 'schema') or 0) <= schema
end

-- The first id of a tenant's line that is known, false if none is, nil if there is none at all.
local function first_known(line)
  local first = redis.call('ZRANGE', line, 0, 0)[1]
  if not first or known(first) then return first end
  for _, id in ipairs(redis.call('ZRANGE', line, 1, LOOKED_AT)) do
    if known(id) then return id end
  end
  return false
end

-- The first job of the same tenant at most `ahead_ms` behind `first` whose source this worker holds.
local function held_job(first)
  if not next(holds) then return nil end
  for _, id in ipairs(redis.call('ZRANGE', line_of(model, first.tenant), 1, LOOKED_AT)) do
    local job = read(id)
    if job and job.place - first.place > ahead_ms * 1000 then return nil end
    local fits = job and job.status == 'queued' and holds[job.source_id] and tonumber(job.deadline_at) > now
    if fits and known(id) then return job end
  end
end

-- The forwards that a job still has to run: none of one that has just ended.
local function left_of(id)
  local job = redis.call('HMGET', KEY.JOB .. id, 'status', 'charged', 'progress')
  if job[1] ~= 'running' then return 0 end
  local percent = job[3] and cjson.decode(job[3]).percent or 0
  return tonumber(job[2] or 1) * (1 - percent / 100)
end

-- Whether the job is left to a worker that holds its source: for moments to an idle one, longer to one that will be free
-- before another would have learned the source anew (docs/scaling.md has the simulation). One that was given back is not
-- left to a busy worker: that may be the one that died over it.
local function belongs_elsewhere(job)
  local holder = redis.call('GET', KEY.HOLDER .. (job.source_id or ''))
  if not holder or holder == worker then return false end
  local does, age = redis.call('GET', KEY.IDLE .. holder), now - job.created_at
  if not does or redis.call('SISMEMBER', KEY.DRAINED, holder) == 1 then return false end
  if does == '1' then
    left_to_idle = left_to_idle or age < patience_ms
    return age < patience_ms
  end
  if tonumber(job.attempts) > 0 then return false end
  local saved = tonumber(job.work or '') and tonumber(job.remembered_work or '') and job.work - job.remembered_work or 0
  return saved > 0 and age < busy_patience_ms and left_of(does) <= saved
end

-- (The id of the next job, its tenant), nothing if none may run.
local function next_id()
  for _, moved in ipairs(redis.call('ZRANGE', KEY.READY .. model, '-inf', '(0', 'BYSCORE', 'LIMIT', 0, LOOKED_AT)) do
    if known(moved) then return moved, redis.call('HGET', KEY.JOB .. moved, 'tenant') or '' end
  end
  for _, turns in ipairs({KEY.TURNS .. model, KEY.BULK_TURNS .. model}) do
    for place = 0, TENANTS_LOOKED_AT - 1 do
      local tenant = redis.call('ZRANGE', turns, place, place)[1]
      if not tenant then break end
      local id = first_known(line_of(model, tenant))
      if id ~= false then return id, tenant end
    end
  end
end

local aged = redis.call('ZRANGE', KEY.RIPENING .. model, '-inf', ripe_until(), 'BYSCORE', 'LIMIT', 0, MOST_RIPENED)
for _, tenant in ipairs(aged) do settle(model, tenant) end

while true do
  local id, tenant = next_id()
  if left_count > 0 and (not tenant or left_count == MOST_LEFT) then return {'elsewhere', left_to_idle and 'idle' or 'busy'} end
  if not tenant then return {'ok'} end
  local job = id and read(id)
  if not job or job.status ~= 'queued' then
    if id then leave_line({id = id, model = model, tenant = tenant}) end
    settle(model, tenant)
  elseif tonumber(job.deadline_at) <= now then
    end_late(job)
  elseif holds[job.source_id] then
    return start(job)
  else
    local held = held_job(job)
    if held then return start(held) end
    if not belongs_elsewhere(job) then return start(job) end
    left[id], left_count = true, left_count + 1
  end
end
