#!lua flags=no-writes
-- ARGV: "tenant/image id" of pictures. Returns those that nobody knows; nothing if no job was ever accepted, for then this is
-- another store.
local absent = {'ok'}
if redis.call('EXISTS', KEY.LAST_TIME) == 0 then return absent end
for _, member in ipairs(ARGV) do
  if not redis.call('ZSCORE', KEY.IMAGES, member) then absent[#absent + 1] = member end
end
return absent
