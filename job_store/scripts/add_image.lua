#!lua
-- ARGV: image id, tenant, width, height, sha-256, ms to keep. Returns the record.
local key, expires_at = KEY.IMAGE .. ARGV[1], now + ARGV[6]
redis.call('HSET', key, 'tenant', ARGV[2], 'width', ARGV[3], 'height', ARGV[4], 'sha256', ARGV[5],
  'created_at', now, 'expires_at', expires_at)
redis.call('PEXPIREAT', key, expires_at)
redis.call('ZADD', KEY.IMAGES, expires_at, ARGV[2] .. '/' .. ARGV[1])
return {'ok', redis.call('HGETALL', key)}
