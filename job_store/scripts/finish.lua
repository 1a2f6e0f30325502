#!lua flags=allow-oom
-- An attempt ends its job. ARGV: job id, token, status, and the field that goes with it and its value, or two empty ones; of a
-- success also how many steps it denoised, and the upper bounds of the histograms' buckets, rising.
-- The same end by the same attempt again is no error: its first reply may have been lost.
local job, token, status = read(ARGV[1]), ARGV[2], ARGV[3]

local function observe(stage, seconds)
  local bucket = 'more'
  for i = #ARGV, 7, -1 do
    if seconds <= tonumber(ARGV[i]) then bucket = ARGV[i] end
  end
  redis.call('HINCRBY', KEY.DURATIONS .. job.model, stage .. ' ' .. bucket, 1)
  redis.call('HINCRBYFLOAT', KEY.DURATIONS .. job.model, stage .. ' sum', seconds)
end

if job and job.token == token and job.status == status then return {'ok'} end
if not runs_under(job, token) then return {'stale'} end
if status == 'succeeded' then
  redis.call('HINCRBY', KEY.JOB .. job.id, 'commits', 1)
  local timings, steps = cjson.decode(ARGV[5]).timings, tonumber(ARGV[6])
  for stage, seconds in pairs(timings) do observe(stage, seconds) end
  if steps > 0 then observe('denoise_step', timings.denoise / steps) end
end
if ARGV[4] == '' then finish(job, status) else finish(job, status, ARGV[4], ARGV[5]) end
return {'ok'}
