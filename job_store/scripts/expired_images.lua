#!lua flags=no-writes
-- ARGV: how many at most. Returns "tenant/image id" of pictures whose time is over.
return {'ok', unpack(redis.call('ZRANGEBYSCORE', KEY.IMAGES, '-inf', now, 'LIMIT', 0, ARGV[1]))}
