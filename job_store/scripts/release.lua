#!lua flags=allow-oom
-- A worker gives its job back. ARGV: job id, token, 1 if it crashed over it, crashes allowed. Returns the new status.
-- The same release again finds it done: its first reply may have been lost.
local job, token = read(ARGV[1]), ARGV[2]
if job and job.status ~= 'running' and (job.token == token or job.released == token) then return {'ok', job.status} end
if not runs_under(job, token) then return {'stale'} end
return {'ok', give_back(job, tonumber(ARGV[3]), tonumber(ARGV[4]))}
