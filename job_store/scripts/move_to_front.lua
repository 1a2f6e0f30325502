#!lua flags=allow-oom
-- A queued job is the next of its model, whatever shares and caps say. ARGV: job id. Returns its place before and now.
local job = read(ARGV[1])
if not job then return {'missing'} end
if job.status ~= 'queued' then return {'state', job.status} end
local before = job.place
job.place = string.format('%.0f', -now_us) -- places below 0 are those that were moved, the latest first
set(job, 'place', job.place)
enter_line(job)
settle(job.model, job.tenant)
return {'ok', before, job.place}
