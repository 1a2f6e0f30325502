"""The names of all keys in Redis. The Lua scripts see the same names as the table `KEY`."""

from __future__ import annotations

from enum import StrEnum


class Key(StrEnum):
    """A key, or the beginning of one where the comment names what follows."""

    # jobs
    JOB = "addit:job:"  # + job id: hash, the record
    EVENTS = "addit:events:"  # + job id: stream, what happened to it
    READY = "addit:ready:"  # + model: sorted set of queued jobs by their place in the line
    LINE = "addit:line:"  # + model + ":" + tenant: the same of one tenant's
    WAITING = "addit:waiting:"  # + model: set of tenants with queued jobs
    TURNS = "addit:turns:"  # + model: sorted set of tenants that may run a job, by what they were served
    BULK_TURNS = "addit:bulk_turns:"  # + model: the same of those whose first job is bulk and not aged yet
    RIPENING = "addit:ripening:"  # + model: sorted set of the latter by when that job has aged, microseconds
    SERVED = "addit:served:"  # + model: sorted set of tenants by the work that was done for them, by weight
    VIRTUAL_TIME = "addit:virtual_time:"  # + model: what the tenant served last had been served before
    RUNNING = "addit:running:"  # + tenant: sorted set of its running jobs by their start, ms
    LIMITS = "addit:limits:"  # + tenant: hash, what differs from the usual
    USUAL_LIMITS = "addit:usual_limits"  # hash, as the settings say
    RATE = "addit:rate:"  # + tenant: when all it submitted would have come at its rate, microseconds
    TENANTS = "addit:tenants"  # set of tenants that submitted a job or have limits of their own
    PAUSED = "addit:paused"  # set of models whose line stands still
    DRAINED = "addit:drained"  # set of workers that shall take no more jobs
    ACTS = "addit:acts"  # stream of what operators did
    DEAD = "addit:dead"  # sorted set of jobs that failed as their workers crashed, by that time, ms
    MODELS = "addit:models"  # set of models that ever had a job
    LEASES = "addit:leases"  # sorted set of running jobs by the end of their lease, ms
    DEADLINES = "addit:deadlines"  # sorted set of queued and running jobs by deadline, ms
    DELETIONS = "addit:deletions"  # sorted set of ended jobs by the end of their retention, ms
    PURGES = "addit:purges"  # set of "tenant/job id" whose artifacts are still to be removed
    LEFTOVERS = "addit:leftovers"  # set of artifact prefixes of attempts that came to nothing, to be removed
    TENANT = "addit:tenant:"  # + tenant: sorted set of its jobs by the time of submission, microseconds
    IDEMPOTENCY = "addit:idempotency:"  # + tenant + ":" + sha-256 of the client's key: hash
    CLAIM = "addit:claim:"  # + token: the job id it was given for
    COUNTS = "addit:counts"  # hash of how many jobs were accepted and how they ended, ever
    # hash of how many jobs were canceled, and when, how many failed or were given back, and why, ever
    REASONS = "addit:reasons"
    USAGE = "addit:usage:"  # + tenant + ":" + day since 1970: hash, what its jobs came to
    DURATIONS = "addit:durations:"  # + model: hash, histograms of its jobs' seconds by stage, ever
    FORGOTTEN = "addit:forgotten"  # list of source ids of jobs deleted lately
    FORGOTTEN_NUMBER = "addit:forgotten_number"  # how many were put in, ever
    LAST_TIME = "addit:last_time"  # the latest time of submission given out, microseconds
    PACE = "addit:pace:"  # + model + ":" + shape: list of seconds a forward took lately
    # webhooks
    OUTBOX = "addit:outbox"  # sorted set of endpoint + "/" + message id by the next try, ms
    DELIVERY = "addit:delivery:"  # + endpoint + "/" + message id: hash
    ATTEMPTS = "addit:attempts:"  # + the same: list of the latest tries, JSON
    DELIVERIES = "addit:deliveries:"  # + endpoint: sorted set of message ids by creation, microseconds
    WEBHOOK_ENDPOINT = "addit:webhook_endpoint:"  # + endpoint id, or "default/" + tenant: hash
    WEBHOOK_ENDPOINTS = "addit:webhook_endpoints:"  # + tenant: set of its endpoint ids
    WEBHOOK_TESTS = "addit:webhook_tests:"  # + endpoint: how many tests this minute
    WEBHOOK_TRIES = "addit:webhook_tries"  # hash of how many tries succeeded and failed, ever
    # pictures
    IMAGE = "addit:image:"  # + image id: hash
    IMAGES = "addit:images"  # sorted set of "tenant/image id" by expiry, ms
    # scenes
    SCENE = "addit:scene:"  # + scene id: hash
    SCENE_STEPS = "addit:scene_steps:"  # + scene id: hash, insertion id to "number parent seed"
    SCENES = "addit:scenes:"  # + tenant: sorted set of its scene ids by creation, microseconds
    # batches
    BATCH = "addit:batch:"  # + batch id: hash
    BATCH_LINES = "addit:batch_lines:"  # + batch id: hash, line number to a job id or a problem as JSON
    BATCHES = "addit:batches:"  # + tenant: sorted set of its batch ids by creation, microseconds
    # tenants' keys
    API_KEY = "addit:api_key:"  # + key id: hash
    API_KEYS = "addit:api_keys:"  # + tenant: set of its key ids
    # workers
    WORKER = "addit:worker:"  # + name: JSON, gone when not renewed
    WORKERS = "addit:workers"  # set of names
    IDLE = "addit:idle:"  # + name: 1 while the worker waits for work, else the job it runs
    HOLDER = "addit:holder:"  # + source id: the worker that ran it last
    CARD = "addit:card:"  # + model: JSON
