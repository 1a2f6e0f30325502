"""How well a transformer predicts: its mean squared velocity error on held-out samples, at guidance 1."""

import numpy as np
import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline

from toyland.captions import plain_caption
from toyland.dataset import instance_map
from toyland.encoded import object_shares
from toyland.flow import FluxModules, add_noise
from toyland.latents import encode, pack, to_tensor
from toyland.texts import tokenize
from toyland.world import Sample

BATCH = 32


@torch.no_grad()
def velocity_error(pipeline: FluxPipeline, samples: list[Sample]) -> tuple[float, float]:
    """The error over all tokens, and over those that show things (weighted by how much of one they show).

    Networks in training are in training afterwards.
    """
    modules = FluxModules(pipeline.transformer, pipeline.text_encoder, pipeline.text_encoder_2)
    training = pipeline.transformer.training
    modules.eval()
    generator = torch.Generator().manual_seed(0)
    errors, shares = [], []
    for start in range(0, len(samples), BATCH):
        chosen = samples[start : start + BATCH]
        pictures = torch.from_numpy(np.stack([np.asarray(sample.picture) for sample in chosen]))
        batch = add_noise(pack(encode(pipeline.vae, to_tensor(pictures))), generator)
        tokens = tokenize(pipeline, [plain_caption(sample.scene, sample.objects) for sample in chosen])
        velocity = modules(batch.noisy, batch.sigma, torch.ones(len(chosen)), tokens)
        errors.append((velocity - batch.velocity).pow(2).mean(-1))
        instances = np.stack(list(map(instance_map, chosen)))
        shares.append(torch.from_numpy(object_shares(instances)).float().flatten(1))
    modules.train(training)
    error, share = torch.cat(errors), torch.cat(shares)
    return float(error.mean()), float((error * share).sum() / share.sum())
