"""How good the shipped weights are, on samples that no training saw."""

from dataclasses import dataclass

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from numpy.typing import NDArray
from sam2.sam2_image_predictor import SAM2ImagePredictor

from toyland.latents import decode, encode, to_pictures, to_tensor
from toyland.placement import PlacedObject
from toyland.segmenter import image_predictor, load_segmenter
from toyland.velocity_error import velocity_error
from toyland.workshop import Workshop
from toyland.world import HELD_OUT_SEED, Sample, World

SAMPLES = 96


@dataclass(frozen=True)
class Scores:
    """What was measured.

    velocity_error, object_velocity_error: of the transformer, over all tokens and over those of things
    psnr: of the autoencoder, dB
    point_iou, box_iou: mean over things, of the segmenter from one point and from a box
    decoded_point_iou, decoded_box_iou: the same on pictures that went through the autoencoder
    """

    velocity_error: float
    object_velocity_error: float
    psnr: float
    point_iou: float
    box_iou: float
    decoded_point_iou: float
    decoded_box_iou: float


def score(workshop: Workshop) -> Scores:
    """All scores of the shipped weights."""
    samples = held_out(workshop.world, SAMPLES)
    pipeline = workshop.open_pipeline()
    vae = pipeline.vae.eval()
    decoded = round_trip(vae, samples)
    predictor = image_predictor(load_segmenter(workshop.shipped / "sam2"))
    drawn = [np.asarray(sample.picture) for sample in samples]
    return Scores(
        *velocity_error(pipeline, samples),
        psnr(vae, samples),
        *segmenter_scores(predictor, drawn, samples),
        *segmenter_scores(predictor, decoded, samples),
    )


def held_out(world: World, count: int) -> list[Sample]:
    """The first samples of the held-out seed that show something."""
    samples = (world.draw(HELD_OUT_SEED, index) for index in range(2 * count))
    return [sample for sample in samples if sample.placed][:count]


@torch.no_grad()
def psnr(vae: AutoencoderKL, samples: list[Sample]) -> float:
    """Peak signal-to-noise ratio in dB of decoding what was encoded, over all pixels."""
    pictures = torch.from_numpy(np.stack([np.asarray(sample.picture) for sample in samples]))
    restored = torch.from_numpy(np.stack(round_trip(vae, samples)))
    error = (pictures.float() - restored.float()).pow(2).mean()
    return float(10 * torch.log10(255**2 / error))


@torch.no_grad()
def round_trip(vae: AutoencoderKL, samples: list[Sample]) -> list[NDArray[np.uint8]]:
    """The samples' pictures, each (H, W, 3) uint8, encoded and decoded."""
    pictures = torch.from_numpy(np.stack([np.asarray(sample.picture) for sample in samples]))
    restored = to_pictures(decode(vae, encode(vae, to_tensor(pictures)))).numpy()
    return list(restored)


def segmenter_scores(
    predictor: SAM2ImagePredictor, pictures: list[NDArray[np.uint8]], samples: list[Sample]
) -> tuple[float, float]:
    """Mean IoU over all things from the middle-most point of each, and from its box."""
    by_point, by_box = list[float](), list[float]()
    for picture, sample in zip(pictures, samples, strict=True):
        predictor.set_image(picture)
        for thing in sample.placed:
            point, label = inner_point(thing)[None], np.array([1])
            masks, ious, _ = predictor.predict(point_coords=point, point_labels=label)
            by_point.append(iou(masks[ious.argmax()] > 0, thing.mask))
            masks, _, _ = predictor.predict(box=np.array(thing.box), multimask_output=False)
            by_box.append(iou(masks[0] > 0, thing.mask))
    return float(np.mean(by_point)), float(np.mean(by_box))


def inner_point(thing: PlacedObject) -> NDArray[np.float32]:
    """The thing's pixel (x, y) nearest to the middle of its pixels."""
    pixels = np.argwhere(thing.mask)
    middle = pixels.mean(0)
    row, column = pixels[((pixels - middle) ** 2).sum(1).argmin()]
    return np.array([column, row], np.float32)


def iou(mask: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    """Intersection over union of two (H, W) masks."""
    return float((mask & wanted).sum() / max(1, (mask | wanted).sum()))
