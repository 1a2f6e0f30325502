#!lua flags=allow-oom
-- The first jobs of a model's line are canceled. ARGV: model, how many at most. Returns how many were, and were looked at.
local ids, canceled = redis.call('ZRANGE', KEY.READY .. ARGV[1], 0, ARGV[2] - 1), 0
for _, id in ipairs(ids) do
  local job = read(id)
  if job and job.status == 'queued' then
    finish(job, 'canceled')
    canceled = canceled + 1
  else
    redis.call('ZREM', KEY.READY .. ARGV[1], id) -- an entry nobody needs
  end
end
return {'ok', canceled, #ids}
