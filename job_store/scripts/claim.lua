#!lua flags=allow-oom
-- The first job in a model's line starts running. ARGV: model, worker, lease in ms, token.
-- Returns its id and record, or nothing. With the same token again: the same job again.
local line, lease_ms, token = KEY.READY .. ARGV[1], tonumber(ARGV[3]), ARGV[4]

local given = redis.call('GET', KEY.CLAIM .. token)
if given and runs_under(read(given), token) then return {'ok', given, fields(given)} end

local function start(job)
  redis.call('ZREM', line, job.id)
  redis.call('ZADD', KEY.LEASES, now + lease_ms, job.id)
  redis.call('SET', KEY.CLAIM .. token, job.id, 'PX', lease_ms)
  redis.call('HSETNX', KEY.JOB .. job.id, 'started_at', now)
  local attempts = redis.call('HINCRBY', KEY.JOB .. job.id, 'attempts', 1)
  set(job, 'status', 'running', 'worker', ARGV[2], 'token', token)
  tell(job, 'started', '{"attempt":' .. attempts .. '}')
  return {'ok', job.id, fields(job.id)}
end

while true do
  local id = redis.call('ZRANGE', line, 0, 0)[1]
  if not id then return {'ok'} end
  local job = read(id)
  if not job or job.status ~= 'queued' then
    redis.call('ZREM', line, id)
  elseif tonumber(job.deadline_at) <= now then
    end_late(job)
  else
    return start(job)
  end
end
