#!lua flags=allow-oom
-- A tenant wants a seed of its job no more; without any left the job is canceled. The same again changes nothing.
-- ARGV: job id, tenant, seed, the work of what is left, and the same where its source is remembered or nothing: charged for
-- a job that waits. Returns the record.
local job, seed = read(ARGV[1]), ARGV[3]
if not job or job.tenant ~= ARGV[2] then return {'missing'} end
local dropped, its_own, left = {}, false, 0
for word in string.gmatch(job.dropped_seeds or '', '%S+') do dropped[word] = true end
for _, number in ipairs(cjson.decode(job.request).seeds) do
  local word = string.format('%.0f', number)
  if word == seed then its_own = true elseif not dropped[word] then left = left + 1 end
end
if not its_own then return {'missing'} end
local open = job.status == 'queued' or job.status == 'running'
if not open and not (job.status == 'canceled' and dropped[seed]) then return {'state', job.status} end
if dropped[seed] then return {'ok', fields(job.id)} end
set(job, 'dropped_seeds', (job.dropped_seeds or '') .. seed .. ' ')
tell(job, 'dropped', '{"seed":' .. seed .. '}')
if left == 0 then
  cancel(job)
elseif job.status == 'queued' then
  set(job, 'work', ARGV[4], 'remembered_work', ARGV[5])
end
return {'ok', fields(job.id)}
