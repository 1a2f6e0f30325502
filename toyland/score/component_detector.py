"""The detector by itself: on scenes, on empty scenes, and on what the models make of both."""

from collections.abc import Sequence

from toyland.judge_scores import count_right
from toyland.score.instruments import Instruments
from toyland.score.samples import disguises, empties_of, samples_of
from toyland.score.statistics import Rows
from toyland.world import Sample
from workers.models.toyland.detector import Detection


def measure_detector(instruments: Instruments, chunk: int) -> dict[str, Rows]:
    """Right, invented and missed things per picture, and whether an empty scene was seen as empty: as drawn,
    after decoding, and after being drawn again from noise."""
    numbers: dict[str, Rows] = {}
    for sample in samples_of(instruments, chunk):
        for name, shown in disguises(instruments, sample).items():
            found = instruments.detector.detect(shown)
            numbers.setdefault(f"detector.{name}f1", []).append(count_things(found, sample))
    for sample in empties_of(instruments, chunk):
        for name, shown in disguises(instruments, sample).items():
            claimed = bool(instruments.detector.detect(shown))
            numbers.setdefault(f"detector.{name}false_positives", []).append([float(claimed)])
    return numbers


def count_things(found: Sequence[Detection], sample: Sample) -> list[float]:
    """Right, invented and missed."""
    right = count_right(found, list(zip(sample.objects, sample.boxes, strict=True)))
    return [right, len(found) - right, len(sample.placed) - right]
