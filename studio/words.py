"""What the pages say, and how errors are told to people. Knows no component."""

from __future__ import annotations

from html import escape

from client.errors import ApiError, ClientError, NotSucceeded, Unreachable

TITLE = "Addit studio"
LEAD = "Say what to add to a picture, watch it form, keep what you like."
NO_PICTURE = "Choose a picture first: upload or paste one, pick an example, or describe a scene."
NOTHING_UNDER = "No picture to draw on yet: choose one; a scene from words has one after its first object."
NO_WISH = "Say what to add, for instance “a sheep”."
NO_KEY = "Give your API key first."
SENDING = "Sending it to the service"
STOPPING = "Stopping"
NOTHING_YET = "Nothing placed yet. Results appear here, the surest first."
NO_HISTORY = "Every object you place becomes a step here, to go back to or to branch from."
NO_STUDY = "No study here. Start the studio with --study FOLDER, which holds pairs.json and its pictures."
NO_SCENES = "No scenes here. Start the studio with --scenes FOLDER: pictures, or items.json and its pictures."
ALL_JUDGED = "You have judged all pairs of this study. Thank you."
NO_SPEED = "Throughput is drawn from the second glance on."
NO_WAITING = "So are the jobs that wait."
NO_MEMORY = "No worker remembers a source yet."
NO_DEAD = "No job has crashed its worker."
OFFLINE = "The service does not answer. It may be starting, or its address is another: {url}"

GAMMA = "γ, extended scale: above 1 the new object asserts itself over the scene; 1.05 is the paper's."
STRUCTURE = (
    "t_struct, structure transfer: the step at which the scene's layout is taken over; earlier is freer."
)
BLEND = (
    "t_blend, latent blending: steps after which everything outside the object's mask is the scene's again."
)
LOCALIZER = (
    "Subject-guided mask: how the object is found; attention, points or boxes from it, refined by SAM-2."
)
STEPS = "Denoising steps: more is finer and slower."
GUIDANCE = "Classifier-free guidance of the target: higher follows the words more closely."
INVERSION = (
    "How a real picture gets its noisy latents: noise added (the paper's), or inverted along the flow."
)
SHADOW = "Lets the object's shadow fall just outside its mask."
KEEP_BEST = "Finish only the most promising seeds; weak ones are dropped at the first blend and cost no more."
RETRY = "When nothing was added: a higher γ, then an earlier start, then another seed; every try is listed."
MODE = "exact is the method itself; fast and turbo reuse late steps, as far as the model has them."
PRESET = "Named settings of the model; the usual one when empty."
AVOID_COLOUR, REGION_COLOUR, MASK_COLOUR = "#d7301f", "#1a9850", "#1a9850"

_CODES = {
    "unauthorized": "The service does not know this key.",
    "queue_full": "Too many jobs are waiting. Try again in a moment.",
    "rate_limited": "That was a lot at once. Try again in a moment.",
    "quota_exceeded": "Your share of the queue is used up until some of your jobs are done.",
    "no_worker": "No worker can do this at the moment.",
    "store_unavailable": "The service waits for its store. Nothing is lost; try again soon.",
    "invalid_image": "This file could not be read as a picture. PNG, JPEG and WebP work.",
    "unsupported_image": "This kind of picture is not taken. PNG, JPEG and WebP work.",
    "image_too_large": "This picture is too large.",
    "worker_crashed": "The worker crashed over this job more than once, so it was set aside.",
    "deadline_exceeded": "It took longer than allowed.",
}


def told(error: ClientError) -> str:
    """The error for people: what happened and, as far as known, what would help."""
    match error:
        case Unreachable():
            return "The service does not answer. Your picture and words stay here; try again in a moment."
        case ApiError():
            return _with(_CODES.get(error.code), error.problem.detail)
        case NotSucceeded():
            return ended(error.job.status, error.job.error.code if error.job.error else "", str(error))
    return str(error)


def ended(status: str, code: str, message: str) -> str:
    """How a job ended that did not succeed."""
    if status == "canceled":
        return "Stopped, as you asked. Nothing was kept of it."
    if status == "expired":
        return "It waited too long for a worker and was given up. Try again when fewer jobs wait."
    return _with(_CODES.get(code), message)


def _with(known: str | None, detail: str) -> str:
    return f"{known} ({detail})" if known and detail and detail not in known else known or detail


def alert(text: str) -> str:
    """A message that screen readers say at once."""
    return f'<div class="note trouble" role="alert">{escape(text)}</div>'


def note(text: str) -> str:
    """A quiet message."""
    return f'<div class="note" role="status">{escape(text)}</div>'
