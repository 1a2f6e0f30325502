#!lua flags=allow-oom
-- ARGV: job id, token, stage, progress as JSON.
local job = read(ARGV[1])
if not runs_under(job, ARGV[2]) then return {'stale'} end
set(job, 'progress', ARGV[4], 'stage', ARGV[3])
tell(job, job.progress and job.stage == ARGV[3] and 'progress' or 'stage', ARGV[4])
return {'ok'}
