#!lua flags=allow-oom
-- ARGV: tenant, then ids of its jobs. They go now, those that run as soon as they have stopped. Returns how many of each.
local gone, stopping = 0, 0
for i = 2, #ARGV do
  local job = read(ARGV[i])
  if job and job.tenant == ARGV[1] then
    if forget(job) then gone = gone + 1 else stopping = stopping + 1 end
  end
end
return {'ok', gone, stopping}
