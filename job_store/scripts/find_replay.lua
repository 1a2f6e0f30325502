#!lua flags=no-writes
-- ARGV: tenant, hash of an idempotency key, the fingerprint of what it came with. Returns the job's id and record, if there is.
local earlier = redis.call('HMGET', KEY.IDEMPOTENCY .. ARGV[1] .. ':' .. ARGV[2], 'job_id', 'fingerprint')
if not earlier[1] or redis.call('EXISTS', KEY.JOB .. earlier[1]) == 0 then return {'ok'} end
if earlier[2] ~= ARGV[3] then return {'reused', earlier[1]} end
return {'ok', earlier[1], fields(earlier[1])}
