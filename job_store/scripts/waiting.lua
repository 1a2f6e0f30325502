#!lua flags=no-writes
-- ARGV: model. Returns how many of its jobs wait, then work and shape of some of them, evenly from first to last.
local model, SAMPLED = ARGV[1], 64
local number = redis.call('ZCARD', KEY.READY .. model)
local sampled = math.min(number, SAMPLED)
local told = {'ok', number}
for nth = 0, sampled - 1 do
  local place = math.floor(nth * number / sampled)
  local id = redis.call('ZRANGE', KEY.READY .. model, place, place)[1]
  told[#told + 1] = {string.format('%.6g', work_of(id)), redis.call('HGET', KEY.JOB .. id, 'shape') or ''}
end
return told
