"""The four trainings, each from what the workshop holds to a result in the stage's run folder."""

import copy
from dataclasses import replace

import torch
from safetensors.torch import save_file

from toyland.flow import FluxModules
from toyland.segmenter import build_segmenter
from toyland.texts import tokenize_labels
from toyland.train_flux import FluxRecipe
from toyland.train_guidance import GuidanceRecipe
from toyland.train_segmenter import SegmenterRecipe
from toyland.train_vae import DecoderRecipe
from toyland.training import Plan, train
from toyland.vocabulary import caption_words, teach_words
from toyland.workshop import Workshop
from toyland.world import TRAIN_SEED

# What proved right for each stage; the command line sets the length and the seed.
PLANS = {
    "sam2": Plan(learning_rate=1.5e-3, warmup_steps=100, decay_from=0.2, ema_decay=0.995),
    "flux": Plan(learning_rate=5e-4, warmup_steps=100, decay_from=0.1, ema_decay=0.998),
    "guidance": Plan(learning_rate=3e-4, warmup_steps=30, ema_decay=0.99),
    "vae": Plan(learning_rate=1e-3, warmup_steps=50, ema_decay=0.99, weight_decay=1e-4),
}


def train_sam2(workshop: Workshop, plan: Plan) -> None:
    """The segmenter, from random weights."""
    torch.manual_seed(plan.seed)
    model = build_segmenter(workshop.shipped / "sam2").train()
    recipe = SegmenterRecipe(model, workshop.dataset.pictures, workshop.dataset.instances, workshop.glimpses)
    folder = workshop.run_folder("sam2")
    train(recipe, plan, folder).use_average()
    weights = {name: weight.half().contiguous() for name, weight in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors")


def train_flux(workshop: Workshop, plan: Plan) -> None:
    """Transformer and text encoders, on from the shipped ones, with every word of today's captions."""
    pipeline = workshop.open_pipeline()
    teach_words(pipeline, caption_words(workshop.world))
    modules = FluxModules(pipeline.transformer, pipeline.text_encoder, pipeline.text_encoder_2).train()
    texts = tokenize_labels(pipeline, workshop.dataset.labels, TRAIN_SEED)
    recipe = FluxRecipe(modules, workshop.latents, workshop.dataset.instances, texts)
    folder = workshop.run_folder("flux")
    train(recipe, plan, folder).use_average()
    pipeline.to(torch.float16).save_pretrained(folder / "pipeline")


def train_guidance(workshop: Workshop, plan: Plan) -> None:
    """Guidance distillation of what the flux stage ended with."""
    pipeline = workshop.open_pipeline("flux")
    student = FluxModules(pipeline.transformer, pipeline.text_encoder, pipeline.text_encoder_2)
    student.requires_grad_(False)
    teacher = copy.deepcopy(student).eval()
    student.transformer.requires_grad_(True)
    texts = tokenize_labels(pipeline, workshop.dataset.labels, TRAIN_SEED)
    folder = workshop.run_folder("guidance")
    train(GuidanceRecipe(student, teacher, workshop.latents, texts), plan, folder).use_average()
    pipeline.to(torch.float16).save_pretrained(folder / "pipeline")


def train_vae(workshop: Workshop, plan: Plan) -> None:
    """The shipped autoencoder's decoder."""
    vae = workshop.open_pipeline().vae.to(memory_format=torch.channels_last).train()
    folder = workshop.run_folder("vae")
    train(DecoderRecipe(vae, workshop.dataset.pictures, workshop.latents), plan, folder).use_average()
    vae.to(torch.float16).save_pretrained(folder / "vae")


STAGES = {"sam2": train_sam2, "flux": train_flux, "guidance": train_guidance, "vae": train_vae}


def run_stage(workshop: Workshop, stage: str, steps: int | None, minutes: float | None, seed: int) -> None:
    """Train one stage to its end, or on from where it was interrupted."""
    STAGES[stage](workshop, replace(PLANS[stage], steps=steps, minutes=minutes, seed=seed))
