#!lua flags=allow-oom
-- A job's picture as it forms. ARGV: job id, token, preview as JSON.
local job = read(ARGV[1])
if not runs_under(job, ARGV[2]) then return {'stale'} end
tell(job, 'preview', ARGV[3])
return {'ok'}
