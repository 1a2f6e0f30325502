"""The paper's CLIP figures of one insertion (arXiv 2411.07232, tables 2 and 3), by Toyland's own CLIP."""

from torch import Tensor
from torch.nn.functional import cosine_similarity

from toyland.score.made import Made
from toyland.score.tasks import InsertionTask
from workers.models.toyland.clip import Clip


def clip_metrics(clip: Clip, made: Made, task: InsertionTask) -> dict[str, float]:
    """Cosines: of the pictures' and the sentences' difference; of both pictures; of result and sentence."""
    assert made.source is not None
    before, after = clip.embed_pictures([made.source, made.picture])
    said_before, said_after = clip.embed_texts([task.source_prompt, task.prompt])
    return {
        "clip_dir": _cosine(after - before, said_after - said_before),
        "clip_im": _cosine(before, after),
        "clip_out": _cosine(after, said_after),
    }


def _cosine(one: Tensor, other: Tensor) -> float:
    return float(cosine_similarity(one, other, dim=0))
