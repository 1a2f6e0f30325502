#!lua flags=no-writes
-- Whether a job would be accepted now. ARGV: model, tenant, most queued jobs of the model.
return refusal_of(ARGV[1], ARGV[2], tonumber(ARGV[3])) or {'ok'}
