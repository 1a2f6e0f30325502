#!lua flags=no-writes
-- ARGV: tenant, hash of an idempotency key, the fingerprint of what it came with. Returns the job's id and record, if there is.
local earlier, reused = earlier_of(KEY.IDEMPOTENCY .. ARGV[1] .. ':' .. ARGV[2], 'job_id', KEY.JOB, ARGV[3])
if reused then return reused end
if not earlier then return {'ok'} end
return {'ok', earlier, fields(earlier)}
