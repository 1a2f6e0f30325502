#!lua flags=allow-oom
-- A tenant's job is forgotten now. ARGV: job id, tenant.
local job = read(ARGV[1])
if not job or job.tenant ~= ARGV[2] then return {'missing'} end
if job.status == 'running' then return {'state', job.status} end
if job.status == 'queued' then finish(job, 'canceled') end
purge(job)
return {'ok'}
