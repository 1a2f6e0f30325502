"""Every knob of the method in one frozen value, and the three published presets."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from workers.addit.errors import UnsupportedOption
from workers.addit.weights import Weight, check_weight, move_weight

PUBLISHED_STEPS = 30
"""The step count that the paper's and the presets' step indices belong to."""
Inversion = Literal["noising", "euler", "midpoint", "fixed_point"]


@dataclass(frozen=True)
class AdditConfig:
    """Settings of one edit. Steps are 0-based indices into `num_inference_steps`; ends are inclusive.

    guidance_scale, source_guidance_scale: embedded guidance of the two branches (not classifier-free
    guidance)
    structure_transfer_step: s; the target starts here, from the source's x0 noised to this step (paper
    section 3.3)
    extended_scale: gamma on the target's own keys; above 1 favours the target over the source (section 3.2).
        A number, a schedule by step and kind of block, or "auto": spread evenly over source and target
    source_scale: the same on the source's lent keys
    extend_double_until, extend_single_until: last step at which blocks of either kind are lent the source
    blend_steps: after each, the source is copied back outside the subject (section 3.4); none: no blending
    localizer: how the subject's mask is found
    accumulate: "columns" averages the image->subject probabilities over the recorded steps; "reference"
    keeps the
        reference implementation's sum of subject->image rows plus the last step's column
    inversion: how a real source gets its noisy latents; generated ones have their own
    use_offset: add to the target after each step what the source's Euler step misses of its known latents [R]
    strict_background: blend again after every step that follows, from the source's known latents
    softness: latent cells over which a blend fades out around the subject; 0 cuts at its mask
    keep_shadow: a strict background leaves the subject the ring around it where its shadow falls
    keep_best: of a batch, so many rows at most are finished; the others leave after the first blend, and so
        do those in which it finds no subject. None: all are finished
    placing_strength: how much further above the others' the logits of a region's cells on the subject's words
        are; 0: a region matters to the mask alone
    source_shift: cells down and right by which the lent keys are moved from where the source has them
    """

    guidance_scale: float = 3.5
    source_guidance_scale: float = 3.5
    num_inference_steps: int = PUBLISHED_STEPS
    structure_transfer_step: int = 2
    extended_scale: Weight | Literal["auto"] = 1.05
    source_scale: Weight = 1.0
    extend_double_until: int = 10
    extend_single_until: int = 20
    blend_steps: tuple[int, ...] = (15,)
    localizer: str = "attention_points_sam"
    accumulate: Literal["columns", "reference"] = "columns"
    inversion: Inversion = "noising"
    use_offset: bool = False
    strict_background: bool = False
    softness: float = 0.0
    keep_shadow: bool = True
    keep_best: int | None = None
    placing_strength: float = 4.0
    source_shift: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        steps = (self.structure_transfer_step, *self.blend_steps)
        if self.num_inference_steps < 2 or not all(0 <= step < self.num_inference_steps for step in steps):
            raise UnsupportedOption(f"steps {steps} do not all lie in 0..{self.num_inference_steps - 1}")
        if any(step < self.structure_transfer_step for step in self.blend_steps):
            raise UnsupportedOption("a blend cannot come before the structure transfer")
        if self.keep_best is not None and (self.keep_best < 1 or not self.blend_steps):
            raise UnsupportedOption("keep_best is at least 1, and the rows are judged at a blend")
        check_weight(self.extended_scale)
        check_weight(self.source_scale)

    @property
    def last_extended_step(self) -> int:
        """After this step the target never looks at the source again."""
        return max(self.extend_double_until, self.extend_single_until)

    def at_steps(self, num_inference_steps: int) -> AdditConfig:
        """The same edit over another number of steps: every index moves in proportion."""

        def moved(step: int) -> int:
            return scale_step(step, self.num_inference_steps, num_inference_steps)

        extended, source = self.extended_scale, self.source_scale
        return replace(
            self,
            extended_scale=extended if extended == "auto" else move_weight(extended, moved),
            source_scale=move_weight(source, moved),
            num_inference_steps=num_inference_steps,
            structure_transfer_step=moved(self.structure_transfer_step),
            extend_double_until=moved(self.extend_double_until),
            extend_single_until=moved(self.extend_single_until),
            blend_steps=tuple(dict.fromkeys(moved(step) for step in self.blend_steps)),
        )


def step_of_noise(t: float, num_inference_steps: int) -> int:
    """The first step whose unshifted time 1 - i / N is at or below `t` in 0..1 (t = 0.8 is step 6 of 30)."""
    return min(math.ceil((1 - t) * num_inference_steps - 1e-6), num_inference_steps - 1)


def scale_step(step: int, steps_from: int, steps_to: int) -> int:
    """The step of a `steps_to`-step schedule at the fraction that `step` has of `steps_from`; halves round
    up."""
    return min(math.floor(step * steps_to / steps_from + 0.5), steps_to - 1)


PAPER_GENERATED = AdditConfig()
PAPER_REAL = replace(PAPER_GENERATED, structure_transfer_step=4, source_guidance_scale=1.0)
REFERENCE_REAL = replace(
    PAPER_REAL,
    extended_scale=1.10,
    blend_steps=(18,),
    localizer="attention",
    accumulate="reference",
    inversion="fixed_point",
)
PRESETS = {"paper-generated": PAPER_GENERATED, "paper-real": PAPER_REAL, "reference-real": REFERENCE_REAL}
