#!lua flags=allow-oom
-- A key works no longer than so many milliseconds from now; one that ends sooner anyway is left. ARGV: key id, milliseconds.
local id, left = ARGV[1], tonumber(ARGV[2])
if redis.call('EXISTS', KEY.API_KEY .. id) == 0 then return {'missing'} end
local until_now = redis.call('PTTL', KEY.API_KEY .. id)
if until_now < 0 or until_now > left then expire_key(id, left) end
return {'ok'}
