#!lua flags=no-writes
-- What a job stands behind, were no more to come, and what its time is told from, in one look. ARGV: model, tenant, a
-- queued job's id or '', by how many ms a new one stands back, its shape or ''. Returns how many jobs start before it, how
-- many of the model run, how many of the tenant may run at a time and do, the work of the job itself, how many workers
-- serve the model, 1 if nothing of it starts; then each shape with the paces of late; then for each shape of those before
-- it and of those that run: work, shape, 1 if the tenant's, number.
local model, tenant = ARGV[1], ARGV[2]
local MOST_TENANTS, SAMPLED, MOST_RUNNING = 64, 3, 200
local place = tonumber(ARGV[3] ~= '' and redis.call('HGET', KEY.JOB .. ARGV[3], 'place') or now_us + ARGV[4] * 1000)
local fresh = place > ripe_until()
local loads, count = {}, 0

local function add(work, shape, own, number)
  local key = (shape or '') .. '/' .. own
  loads[key] = loads[key] or {0, shape or '', own, 0}
  loads[key][1] = loads[key][1] + work
  loads[key][4] = loads[key][4] + number
end

-- Work and shape of the first of a tenant's line.
local function sample(of)
  local found, sum = {}, 0
  for _, id in ipairs(redis.call('ZRANGE', line_of(model, of), 0, '+inf', 'BYSCORE', 'LIMIT', 0, SAMPLED)) do
    found[#found + 1] = {work_of(id), redis.call('HGET', KEY.JOB .. id, 'shape') or ''}
    sum = sum + found[#found][1]
  end
  return found, #found > 0 and sum / #found or 1
end

-- So many of a line start before, and are like the first.
local function stand_before(number, jobs, own)
  count = count + number
  for _, job in ipairs(jobs) do add(number * job[1] / #jobs, job[2], own, number / #jobs) end
end

local function in_line(of, until_place)
  return redis.call('ZCOUNT', line_of(model, of), 0, until_place)
end

-- How many of another tenant's jobs start before one that starts when `start` was served, by weight.
local function overtaking(other, start, mean)
  local share = (start - served(model, other)) * limits_of(other).weight / mean
  local number = math.max(0, math.ceil(share))
  if share >= 0 and number == share and other < tenant then number = number + 1 end -- a tie
  local ripe = in_line(other, ripe_until())
  if fresh then return math.max(ripe, math.min(number, in_line(other, '+inf'))) end
  return math.min(number, ripe)
end

local moved = redis.call('ZRANGE', KEY.READY .. model, '-inf', '(' .. string.format('%.0f', math.min(place, 0)), 'BYSCORE')
for _, id in ipairs(moved) do
  local job = redis.call('HMGET', KEY.JOB .. id, 'shape', 'tenant')
  stand_before(1, {{work_of(id), job[1] or ''}}, job[2] == tenant and 1 or 0)
end
if place >= 0 then
  local mine, mean = sample(tenant)
  local before = in_line(tenant, '(' .. string.format('%.0f', place))
  stand_before(before, mine, 1)
  local start = served(model, tenant) + before * mean / limits_of(tenant).weight
  local others = redis.call('SRANDMEMBER', KEY.WAITING .. model, MOST_TENANTS)
  local scale = redis.call('SCARD', KEY.WAITING .. model) / math.max(1, #others)
  for _, other in ipairs(others) do
    local jobs, its_mean = sample(other)
    if other ~= tenant then stand_before(scale * overtaking(other, start, its_mean), jobs, 0) end
  end
end

local running = 0
for _, id in ipairs(redis.call('ZRANGE', KEY.LEASES, 0, MOST_RUNNING - 1)) do
  local job = redis.call('HMGET', KEY.JOB .. id, 'model', 'tenant', 'shape', 'progress')
  if job[1] == model then
    running = running + 1
    local done = job[4] and cjson.decode(job[4]).percent / 100 or 0
    add(work_of(id) * (1 - done), job[3] or '', job[2] == tenant and 1 or 0, 1)
  end
end

local cap = math.min(limits_of(tenant).max_running, 1e9)
local own = ARGV[3] ~= '' and work_of(ARGV[3]) or 0
local serving = 0
local drained = {}
for _, name in ipairs(redis.call('SMEMBERS', KEY.DRAINED)) do drained[name] = true end
for _, worker in ipairs(worker_states()) do
  local takes = worker.state == 'ready' or worker.state == 'busy'
  if takes and worker.model == model and not drained[worker.name] then serving = serving + 1 end
end

-- Seconds a forward took lately in jobs of a shape, or of any where there was none.
local function paces_of(shape)
  local found = shape ~= '' and redis.call('LRANGE', KEY.PACE .. model .. ':' .. shape, 0, -1) or {}
  return #found > 0 and found or redis.call('LRANGE', KEY.PACE .. model .. ':any', 0, -1)
end

local paces, known = {}, {}
local function add_paces(shape)
  if not known[shape] then paces[#paces + 1] = {shape, paces_of(shape)} end
  known[shape] = true
end

add_paces(ARGV[5])
for _, load in pairs(loads) do add_paces(load[2]) end
local paused = redis.call('SISMEMBER', KEY.PAUSED, model)
local told = {'ok', math.floor(count + 0.5), running, cap, redis.call('ZCARD', KEY.RUNNING .. tenant), string.format('%.6g', own),
  serving, paused, paces}
for _, load in pairs(loads) do
  told[#told + 1] = {string.format('%.6g', load[1]), load[2], load[3], string.format('%.6g', load[4])}
end
return told
