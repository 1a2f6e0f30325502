"""The trainings, each from what the workshop holds to a result in the stage's run folder."""

import copy
from collections.abc import Callable
from dataclasses import replace

import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline

from toyland import train_clip, train_detector, train_segmenter
from toyland.flow import FluxModules, hidden_matrices
from toyland.parts import PartReader, overhear
from toyland.pipeline import build_pipeline
from toyland.rival import widen
from toyland.texts import tokenize_labels
from toyland.train_flux import FluxRecipe
from toyland.train_guidance import GuidanceRecipe
from toyland.train_rival import rival_recipe
from toyland.train_vae import (
    AutoencoderRecipe,
    DecoderRecipe,
    build_autoencoder,
    hidden_convolutions,
    normalise_latents,
)
from toyland.training import Plan, train
from toyland.training_speed import prepare_training
from toyland.velocity_error import velocity_error
from toyland.vocabulary import caption_words
from toyland.workshop import Workshop
from toyland.world import TRAIN_SEED, VALIDATION_SEED

# What proved right for each stage; the command line sets the length and the seed.
PLANS = {
    "vae": Plan(learning_rate=2e-3, warmup_steps=100, decay_from=0.5, ema_decay=0.997, weight_decay=1e-4),
    "decoder": Plan(learning_rate=1e-3, warmup_steps=50, decay_from=0.3, ema_decay=0.995, weight_decay=1e-4),
    "flux-half": Plan(learning_rate=1.5e-3, warmup_steps=100, decay_from=0.7, final_rate=0.3),
    "flux": Plan(learning_rate=1e-3, warmup_steps=100, decay_from=0.3),
    "guidance": Plan(learning_rate=5e-4, warmup_steps=30, ema_decay=0.99),
    "sam2": train_segmenter.PLAN,
    "detector": train_detector.PLAN,
    "clip": train_clip.PLAN,
    "rival": Plan(learning_rate=7e-4, warmup_steps=100, decay_from=0.3),
}
HALF_BATCH = 24
HALF_SHARE = 0.4  # of the full-size stage's steps go on at half size
HELD_OUT = 64  # pictures that a transformer in training is judged on


def train_vae(workshop: Workshop, plan: Plan) -> None:
    """The autoencoder, from random weights, on twice as many pictures of the world as of anything else."""
    torch.manual_seed(plan.seed)
    vae, folder = build_autoencoder().train(), workshop.run_folder("vae")
    world = workshop.dataset.pictures
    recipe = AutoencoderRecipe(vae, (world, world, workshop.collages))
    train(recipe, plan, folder, hidden_convolutions(vae)).use_average()
    normalise_latents(vae.eval(), world[:512])
    vae.save_pretrained(folder / "vae")


def train_decoder(workshop: Workshop, plan: Plan) -> None:
    """A sharper decoder for the latents of the autoencoder there is."""
    vae, folder = workshop.open_autoencoder().train(), workshop.run_folder("decoder")
    world = workshop.dataset.pictures
    recipe = DecoderRecipe(AutoencoderRecipe(vae, (world, world, workshop.collages)))
    train(recipe, plan, folder, hidden_convolutions(vae.decoder)).use_average()
    vae.half().save_pretrained(folder / "vae")


def train_flux_half(workshop: Workshop, plan: Plan) -> None:
    """Transformer and text encoders from random weights, at half size."""
    words = caption_words(workshop.world)
    pipeline = build_pipeline(words, workshop.open_autoencoder(), plan.seed)
    _train_flux(workshop, plan, "flux-half", pipeline)


def train_flux(workshop: Workshop, plan: Plan) -> None:
    """On at full size from what the half-size stage ended with, or from the shipped weights."""
    _train_flux(workshop, plan, "flux", workshop.open_newest(("flux-half",)))


def _train_flux(workshop: Workshop, plan: Plan, stage: str, pipeline: FluxPipeline) -> None:
    modules = FluxModules(pipeline.transformer, pipeline.text_encoder, pipeline.text_encoder_2).train()
    texts = tokenize_labels(pipeline, workshop.dataset.labels, TRAIN_SEED)
    folder = workshop.run_folder(stage)
    prepare_training(pipeline.transformer)
    judge = held_out_error(workshop, pipeline)
    torch.manual_seed(plan.seed)
    reader = PartReader(pipeline.transformer.inner_dim)
    with overhear(pipeline.transformer) as overheard:
        recipe = FluxRecipe(modules, reader, overheard, workshop.encoded, texts, half_share=HALF_SHARE)
        if stage == "flux-half":
            recipe = replace(recipe, batch=HALF_BATCH, half_share=1.0)
        train(recipe, plan, folder, hidden_matrices(recipe.trained), judge).use_average()
    pipeline.save_pretrained(folder / "pipeline")


def held_out_error(workshop: Workshop, pipeline: FluxPipeline) -> Callable[[], float]:
    """Asks for the velocity error, at guidance 1, on pictures of another seed."""
    samples = [workshop.world.draw(VALIDATION_SEED, index) for index in range(HELD_OUT)]

    def judge() -> float:
        everywhere, _ = velocity_error(pipeline, samples)
        return everywhere

    return judge


def train_guidance(workshop: Workshop, plan: Plan) -> None:
    """Guidance distillation of what the flux stage ended with."""
    pipeline = workshop.open_newest(("flux",))
    student = FluxModules(pipeline.transformer, pipeline.text_encoder, pipeline.text_encoder_2)
    student.requires_grad_(False)
    teacher = copy.deepcopy(student).eval()
    prepare_training(student.transformer)
    prepare_training(teacher.transformer)
    student.transformer.requires_grad_(True)
    texts = tokenize_labels(pipeline, workshop.dataset.labels, TRAIN_SEED)
    folder = workshop.run_folder("guidance")
    recipe = GuidanceRecipe(student, teacher, workshop.encoded, texts)
    judge = held_out_error(workshop, pipeline)
    train(recipe, plan, folder, hidden_matrices(student.transformer), judge).use_average()
    pipeline.save_pretrained(folder / "pipeline")


def train_rival(workshop: Workshop, plan: Plan) -> None:
    """The supervised rival of the evaluation, from the shipped weights; it is never exported."""
    pipeline = widen(workshop.open_pipeline())
    recipe = rival_recipe(pipeline, workshop.pairs)
    folder = workshop.run_folder("rival")
    prepare_training(pipeline.transformer)
    train(recipe, plan, folder, hidden_matrices(recipe.rival)).use_average()
    pipeline.save_pretrained(folder / "pipeline")


STAGES = {
    "vae": train_vae,
    "decoder": train_decoder,
    "flux-half": train_flux_half,
    "flux": train_flux,
    "guidance": train_guidance,
    "sam2": train_segmenter.train_sam2,
    "detector": train_detector.train_detector,
    "clip": train_clip.train_clip,
    "rival": train_rival,
}


def run_stage(workshop: Workshop, stage: str, steps: int | None, minutes: float | None, seed: int) -> None:
    """Train one stage to its end, or on from where it was interrupted."""
    STAGES[stage](workshop, replace(PLANS[stage], steps=steps, minutes=minutes, seed=seed))
