#!lua flags=allow-oom
-- One bounded pass over what time has overtaken. ARGV: crashes allowed, grace after a running job's deadline in ms, how many
-- of each kind at most. Returns the ids put back into line, ended and deleted, and members of PURGES and LEFTOVERS.
local max_crashes, grace_ms, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local requeued, ended, deleted = {}, {}, {}

local function each_due(key, until_ms, handle)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', until_ms, 'LIMIT', 0, limit)) do
    local job = read(id)
    if not job or not handle(job) then redis.call('ZREM', key, id) end -- an entry nobody needs
  end
end

each_due(KEY.LEASES, now, function(job)
  if job.status ~= 'running' then return false end
  local list = give_back(job, 1, max_crashes) == 'queued' and requeued or ended
  list[#list + 1] = job.id
  return true
end)

each_due(KEY.DEADLINES, now, function(job)
  if job.status ~= 'queued' and job.status ~= 'running' then return false end
  if job.status == 'queued' or tonumber(job.deadline_at) + grace_ms <= now then
    end_late(job)
    ended[#ended + 1] = job.id
  end
  return true
end)

each_due(KEY.DELETIONS, now, function(job)
  if not job.completed_at then return false end
  purge(job)
  deleted[#deleted + 1] = job.id
  return true
end)

-- In the lines of models but not of tenants: jobs of a release that knew no such lines, and entries nobody needs.
for _, model in ipairs(redis.call('SMEMBERS', KEY.MODELS)) do
  for _, id in ipairs(redis.call('ZRANGE', KEY.READY .. model, 0, limit - 1)) do
    local found = redis.call('HMGET', KEY.JOB .. id, 'tenant', 'place', 'status')
    local job = {id = id, model = model, tenant = found[1] or '', place = found[2]}
    if found[3] ~= 'queued' then
      leave_line(job)
    elseif not redis.call('ZSCORE', line_of(model, job.tenant), id) then
      enter_line(job)
      settle(model, job.tenant)
    end
  end
end

return {'ok', requeued, ended, deleted, redis.call('SRANDMEMBER', KEY.PURGES, limit), redis.call('SRANDMEMBER', KEY.LEFTOVERS, limit)}
