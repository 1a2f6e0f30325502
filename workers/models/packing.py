"""Weights of linear layers, laid out once as the CPU's kernels want them.

A matrix product begins by copying its weights into blocks of the size of the processor's registers and
caches. Of a product with a few hundred tokens that is a tenth to a quarter of the time, whatever its rows;
weights that are multiplied a thousand times are better copied once (oneDNN's reordered weights, which torch's
own compiler uses).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import register_flop_formula

KERNEL = torch.ops.mkldnn._linear_pointwise
"""Of torch as it is pinned: of input, packed weight, bias and, here, no activation."""

MOST_BYTES = 2**30
"""Of weights that are kept twice. Larger models meet more tokens at once, beside which copying is nothing."""


class PackedLinear(torch.nn.Linear):
    """A linear layer without gradients that multiplies by a packed copy of its weight.

    The weight is packed at its first product, and again after it was moved, cast or loaded. Whoever changes
    it in place changes nothing of what is packed. Where gradients are recorded or blocks compiled, it is an
    ordinary layer.
    """

    packed: Tensor | None = None

    @classmethod
    def of(cls, layer: torch.nn.Linear) -> PackedLinear:
        """With the layer's own parameters."""
        ours = cls(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
        ours.weight, ours.bias = layer.weight, layer.bias
        return ours.train(layer.training)

    def forward(self, input: Tensor) -> Tensor:
        """(..., out) of (..., in)."""
        if torch.is_grad_enabled() or torch.compiler.is_compiling() or not self.weight.is_cpu:
            return super().forward(input)
        if self.packed is None:
            self.packed = torch.ops.mkldnn._reorder_linear_weight(self.weight, None)
        out: Tensor = KERNEL.default(input, self.packed, self.bias, "none", [], "")
        return out

    def _apply(self, *args: Any, **kwargs: Any) -> Any:
        self.packed = None
        return super()._apply(*args, **kwargs)  # type: ignore[no-untyped-call]

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self.packed = None
        super()._load_from_state_dict(*args, **kwargs)


def can_pack(dtype: torch.dtype) -> bool:
    """Whether this build and processor multiply such weights packed."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32


def pack_linears(module: torch.nn.Module) -> int:
    """Replace every ordinary linear layer on the CPU within, if they are small enough together; how many.

    Names and parameters stay.
    """
    found = [
        (parent, name, child)
        for parent in module.modules()
        for name, child in parent.named_children()
        if type(child) is torch.nn.Linear and child.weight.is_cpu and can_pack(child.weight.dtype)
    ]
    if sum(child.weight.nbytes for _, _, child in found) > MOST_BYTES:
        return 0
    for parent, name, child in found:
        setattr(parent, name, PackedLinear.of(child))
    return len(found)


def unpack_linears(module: torch.nn.Module) -> None:
    """Make ordinary layers of all packed ones within."""
    for part in module.modules():
        if isinstance(part, PackedLinear):
            part.packed, part.__class__ = None, torch.nn.Linear  # type: ignore[assignment]


@register_flop_formula(KERNEL)
def _flops(input_shape: Any, weight_shape: Any, *args: Any, **kwargs: Any) -> int:
    """As for any matrix product: two for every pair that is multiplied."""
    return 2 * int(torch.Size(input_shape).numel()) * int(weight_shape[0])
