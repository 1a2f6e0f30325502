"""`python -m bench.cost [--json]`: what one insertion costs FLUX.1-dev at 1024 x 1024, by counting.

`insert()` itself runs on the meta device, on FLUX.1-dev's true configuration, with a mask that is given;
FlopCounterMode counts what the transformer is asked for. Beside it, counted the same way, the schedule of
forwards of the reference implementation. Text encoders, autoencoder and localizers are left out of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Annotated, Any, cast

import numpy as np
import torch
import typer
from diffusers import FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from rich.console import Console
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from bench.figures import Figures, to_table
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.config import PAPER_GENERATED, PAPER_REAL, AdditConfig
from workers.addit.edits import Edit, PictureSource, PromptSource
from workers.addit.extension import extension_plan
from workers.addit.forward import Branches, ExtendTarget
from workers.addit.latents import LatentGrid
from workers.addit.memory_tiers import DeviceTier
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.source_memory import SourceMemories

META = torch.device("meta")
CPU_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
"""That torch's counter does not know."""
SIDE, TEXT_LEN, VAE_SCALE, LATENT_CHANNELS = 1024, 512, 8, 16  # FLUX.1-dev
PROMPTS = "a bed", "a bed with a dog"
INVERSION = replace(PAPER_REAL, inversion="fixed_point")


def cpu_attention_flops(query: Any, key: Any, value: Any, *_: object, **__: object) -> int:
    """Of shapes; as the counter does for the other fused kernels."""
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


@dataclass
class Meter:
    """FLOPs of the transformer's calls so far."""

    flops: int = 0

    def attach(self, transformer: FluxTransformer2DModel) -> None:
        """Count every call, also one that ends early."""
        forward = transformer.forward

        def counted(*args: Any, **kwargs: Any) -> Any:
            counter = FlopCounterMode(display=False, custom_mapping={CPU_ATTENTION: cpu_attention_flops})
            try:
                with counter:
                    return forward(*args, **kwargs)
            finally:
                self.flops += counter.get_total_flops()

        transformer.forward = counted

    def take(self) -> int:
        """What was counted since it was taken last."""
        flops, self.flops = self.flops, 0
        return flops


@dataclass(frozen=True)
class Cost:
    """One insertion: FLOPs, and bytes of source memory held when it has ended."""

    flops: int
    nbytes: int


@dataclass(frozen=True)
class Counter:
    """FLUX.1-dev without weights, and the meter on it."""

    models: Models
    meter: Meter = field(default_factory=Meter)

    def insertion(self, edit: Edit, memories: SourceMemories) -> Cost:
        """What an edit costs when `memories` is what is known."""
        with self._measuring() as spent:
            insert(self.models, edit, memories=memories)
        return Cost(spent.flops, memories.nbytes)

    def reference(self, config: AdditConfig, source_passes: int) -> Cost:
        """The reference's schedule: `source_passes` for the source's, then both branches throughout."""
        layers_at = extension_plan(self.models.backbone, replace(config, structure_transfer_step=0))
        lent = [layers_at(step) for step in range(config.num_inference_steps)]
        passes = [frozenset[str]()] * (source_passes + len(lent)) + lent
        flops = {layers: self.forward(layers) for layers in set(passes)}
        return Cost(sum(flops[layers] for layers in passes), 0)

    @torch.inference_mode()
    def forward(self, extended: frozenset[str] = frozenset()) -> int:
        """FLOPs of one batch-1 forward that is lent a source in some layers; in none: the unit u."""
        models, grid = self.models, LatentGrid.of_image(SIDE, SIDE, VAE_SCALE)
        branches, latents = Branches(models.backbone, grid), _latents(grid)
        source, target = models.backbone.encode_prompts(PROMPTS, (1.0, 3.5))
        with models.backbone.exchange_processors():
            lent = branches.source(latents, 1.0, source, extended, velocity=False) if extended else None
            with self._measuring() as spent:
                branches.target(latents, 1.0, target, ExtendTarget(0, lent, extended, 1.05))
        return spent.flops

    @contextmanager
    def _measuring(self) -> Iterator[Cost]:
        before, spent = self.meter.flops, Cost(0, 0)
        yield spent
        object.__setattr__(spent, "flops", self.meter.flops - before)


def count(counter: Counter) -> dict[str, Any]:
    """u in FLOPs; each case in u and its source memory in bytes, ours and the reference's."""
    u = counter.forward()
    generated = Edit(
        PromptSource(PROMPTS[0], 0, SIDE, SIDE), PROMPTS[1], ("dog",), (1,), PAPER_GENERATED, mask=_mask()
    )
    noised = replace(generated, source=PictureSource(_picture(), PROMPTS[0]), config=PAPER_REAL)
    inverted, eight = replace(noised, config=INVERSION), replace(noised, seeds=tuple(range(3, 11)))
    first, real, inversion = (unlimited() for _ in range(3))
    ours = {
        "generated_first": counter.insertion(generated, first),
        "generated_next": counter.insertion(replace(generated, seeds=(2,)), first),
        "noising_first": counter.insertion(noised, real),
        "inversion_first": counter.insertion(inverted, inversion),
        "real_next": counter.insertion(replace(noised, seeds=(2,)), real),
        "real_next_eight": counter.insertion(eight, real),
        "real_next_two_of_eight": counter.insertion(
            replace(eight, config=replace(PAPER_REAL, keep_best=2)), real
        ),
    }
    reference = {
        "generated_first": counter.reference(PAPER_GENERATED, source_passes=30),
        "noising_first": counter.reference(PAPER_REAL, source_passes=0),
        "inversion_first": counter.reference(PAPER_REAL, source_passes=60),
    }
    again, eight_times = reference["noising_first"], Cost(8 * reference["noising_first"].flops, 0)
    reference |= {"generated_next": reference["generated_first"], "real_next": again}
    reference |= {"real_next_eight": eight_times, "real_next_two_of_eight": eight_times}
    return (
        {"u_teraflops": u / 1e12}
        | {name: cost.flops / u for name, cost in ours.items()}
        | {f"reference_{name}": reference[name].flops / u for name in ours}
        | {f"{name}_memory_bytes": cost.nbytes for name, cost in ours.items()}
    )


def first_and_next(counter: Counter) -> dict[str, float]:
    """The two cases of a real source, in u: a part of `count` for those in a hurry."""
    first = Edit(PictureSource(_picture(), PROMPTS[0]), PROMPTS[1], ("dog",), (1,), PAPER_REAL, mask=_mask())
    u, memories = counter.forward(), unlimited()
    cases = {"noising_first": first, "real_next": replace(first, seeds=(2,))}
    return {name: counter.insertion(edit, memories).flops / u for name, edit in cases.items()}


def measure() -> Figures:
    """The table: forwards in units u, and what the source's memory takes when nothing bounds it."""
    values = count(without_weights(flux_dev()))
    names = [name for name in values if f"reference_{name}" in values]
    rows = [
        [
            name.replace("_", ", "),
            f"{values[f'reference_{name}']:.1f}",
            f"{values[name]:.1f}",
            f"{values[name] / values[f'reference_{name}']:.2f}",
            f"{values[f'{name}_memory_bytes'] / 1e9:.1f}",
        ]
        for name in names
    ]
    title = f"FLUX.1-dev, 1024 x 1024, 30 steps; u = {values['u_teraflops']:.1f} TFLOP"
    return Figures(title, ["case", "reference, u", "here, u", "ratio", "source memory, GB"], rows, values)


def flux_dev() -> FluxTransformer2DModel:
    """Its true transformer on the meta device: diffusers' defaults, which are -schnell's, with guidance."""
    with META:
        return FluxTransformer2DModel(guidance_embeds=True).bfloat16().eval()


def without_weights(transformer: FluxTransformer2DModel) -> Counter:
    """A transformer on the meta device between stand-ins for what is not counted."""
    counter = Counter(stand_ins(transformer, TEXT_LEN))
    counter.meter.attach(transformer)
    return counter


def stand_ins(transformer: FluxTransformer2DModel, text_len: int) -> Models:
    """A transformer with an autoencoder and text encoders that give zeros of the right shapes."""
    config, device = transformer.config, transformer.device

    def encode_prompt(prompts: list[str], *_: object, **__: object) -> tuple[Tensor, Tensor, None]:
        embeds = torch.zeros(len(prompts), text_len, config.joint_attention_dim, device=device)
        return embeds, torch.zeros(len(prompts), config.pooled_projection_dim, device=device), None

    pipe = SimpleNamespace(
        transformer=transformer,
        vae=_Autoencoder(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        tokenizer_2=_tokenize,
        vae_scale_factor=VAE_SCALE,
        encode_prompt=encode_prompt,
    )
    return Models(pipe, FluxBackbone(cast(Any, pipe), text_len, device), None, (), text_len, device)


def unlimited() -> SourceMemories:
    """A memory that keeps all."""
    return SourceMemories([DeviceTier(2**60)], META)


class _Autoencoder:
    """Shapes alone."""

    dtype = torch.bfloat16
    config = SimpleNamespace(shift_factor=0.0, scaling_factor=1.0, latent_channels=LATENT_CHANNELS)

    def encode(self, pixels: Tensor) -> SimpleNamespace:
        height, width = (side // VAE_SCALE for side in pixels.shape[-2:])
        latents = torch.zeros(1, LATENT_CHANNELS, height, width, device=pixels.device)
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: latents))

    def decode(self, latents: Tensor) -> SimpleNamespace:
        height, width = (side * VAE_SCALE for side in latents.shape[-2:])
        return SimpleNamespace(sample=torch.zeros(1, 3, height, width))


def _tokenize(text: str, **_: object) -> SimpleNamespace:
    return SimpleNamespace(input_ids=[hash(word) for word in text.split()])


def _latents(grid: LatentGrid) -> Tensor:
    return torch.empty(1, grid.tokens, 4 * LATENT_CHANNELS, device=META)


def _picture() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.zeros((SIDE, SIDE, 3), np.uint8)


def _mask() -> Tensor:
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    mask[SIDE // 4 : SIDE // 2, SIDE // 4 : SIDE // 2] = True
    return mask


def main(as_json: Annotated[bool, typer.Option("--json", help="Numbers for programs.")] = False) -> None:
    """Count the cost of an insertion on FLUX.1-dev."""
    figures = measure()
    if as_json:
        typer.echo(json.dumps(figures.values, indent=1))
    else:
        Console().print(to_table(figures))


if __name__ == "__main__":
    typer.run(main)
