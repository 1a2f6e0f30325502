"""A small SAM-2 of the sam2 package's own classes: building, running in batches, and Meta's predictor."""

from pathlib import Path

import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from safetensors.torch import load_file
from sam2.modeling.sam2_base import SAM2Base
from sam2.sam2_image_predictor import SAM2ImagePredictor
from torch import Tensor
from torch.nn import functional as F

from toyland.prompts import Prompts

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)  # SAM-2's own normalisation
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
FEATURE_STRIDES = (4, 8, 16)


def build_segmenter(folder: Path) -> SAM2Base:
    """The model that the folder's `config.yaml` describes, with random weights."""
    model: SAM2Base = instantiate(OmegaConf.load(folder / "config.yaml").model, _recursive_=True)
    return model


def load_segmenter(folder: Path) -> SAM2Base:
    """The model with the folder's `model.safetensors`, in float32 and in evaluation mode."""
    model = build_segmenter(folder)
    weights = load_file(folder / "model.safetensors")
    model.load_state_dict({name: weight.float() for name, weight in weights.items()})
    return model.eval()


def image_predictor(model: SAM2Base) -> SAM2ImagePredictor:
    """Meta's predictor around the model. It assumes 1024-pixel feature sizes: they are set right here."""
    predictor = SAM2ImagePredictor(model)
    predictor._bb_feat_sizes = [(model.image_size // stride,) * 2 for stride in FEATURE_STRIDES]
    return predictor


def normalise(pictures: Tensor, size: int) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, size, size), as SAM-2 wants its input."""
    tensor = pictures.permute(0, 3, 1, 2).float() / 255
    resized = F.interpolate(tensor, (size, size), mode="bilinear", antialias=True)
    return (resized - MEAN) / STD


def see_images(model: SAM2Base, images: Tensor) -> list[Tensor]:
    """The encoder's features (B, C, S / stride, S / stride) of normalised images (B, 3, S, S) at strides 4, 8
    and 16, all equally wide."""
    seen: list[Tensor] = model.image_encoder(images)["backbone_fpn"]
    return seen


def decoder_features(model: SAM2Base, seen: list[Tensor]) -> list[Tensor]:
    """What `see_images` gave, as the mask decoder wants it when there is no memory of earlier frames."""
    fine, middle, coarse = seen
    decoder = model.sam_mask_decoder
    return [decoder.conv_s0(fine), decoder.conv_s1(middle), coarse + model.no_mem_embed.mT[..., None]]


def predict_masks(model: SAM2Base, features: list[Tensor], prompts: Prompts) -> tuple[Tensor, Tensor, Tensor]:
    """All four masks of every image's prompt: the single answer first, then the three alternatives.

    Returns mask logits (B, 4, S / 4, S / 4), estimated IoU (B, 4), the logit that there is an object (B, 1).
    """
    points = None if prompts.points is None else (prompts.points, prompts.labels)
    sparse, dense = model.sam_prompt_encoder(points=points, boxes=None, masks=prompts.masks)
    if points is None:
        sparse = features[-1].new_zeros(len(features[-1]), 0, model.hidden_dim)
    masks, ious, _, presence = model.sam_mask_decoder.predict_masks(
        image_embeddings=features[-1],
        image_pe=model.sam_prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        repeat_image=False,
        high_res_features=features[:-1],
    )
    return masks, ious, presence
