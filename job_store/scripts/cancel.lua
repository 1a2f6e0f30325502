#!lua flags=allow-oom
-- A tenant wants no more of its job. ARGV: job id, tenant. Returns the record.
local job = read(ARGV[1])
if not job or job.tenant ~= ARGV[2] then return {'missing'} end
if job.status ~= 'canceled' and not cancel(job) then return {'state', job.status} end
return {'ok', fields(job.id)}
