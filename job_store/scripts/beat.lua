#!lua flags=allow-oom
-- Renews a lease. ARGV: job id, token, lease in ms. Returns 1 if the job shall be canceled, and its dropped seeds.
local job = read(ARGV[1])
if not runs_under(job, ARGV[2]) then return {'stale'} end
redis.call('ZADD', KEY.LEASES, now + ARGV[3], job.id)
return {'ok', job.cancel_requested and 1 or 0, job.dropped_seeds or ''}
