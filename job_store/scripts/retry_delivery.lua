#!lua flags=allow-oom
-- ARGV: delivery id, when its next try is due in ms.
redis.call('ZADD', KEY.OUTBOX, 'XX', ARGV[2], ARGV[1])
return {'ok'}
