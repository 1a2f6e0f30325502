#!lua flags=allow-oom
-- An attempt ends its job. ARGV: job id, token, status, and the field that goes with it and its value, or two empty ones.
-- The same end by the same attempt again is no error: its first reply may have been lost.
local job, token, status = read(ARGV[1]), ARGV[2], ARGV[3]
if job and job.token == token and job.status == status then return {'ok'} end
if not runs_under(job, token) then return {'stale'} end
if status == 'succeeded' then redis.call('HINCRBY', KEY.JOB .. job.id, 'commits', 1) end
if ARGV[4] == '' then finish(job, status) else finish(job, status, ARGV[4], ARGV[5]) end
return {'ok'}
