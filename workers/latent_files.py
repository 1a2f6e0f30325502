"""Clean latents as files: half as large as the model holds them, and the same whoever reads them."""

from __future__ import annotations

from io import BytesIO

from workers.runner import Latents


def pack(latents: Latents) -> bytes:
    """An .npy file of (L, C) tokens."""
    import numpy as np  # here: the supervisor knows this module and loads no numpy

    buffer = BytesIO()
    np.save(buffer, latents, allow_pickle=False)
    return buffer.getvalue()


def unpack(data: bytes) -> Latents:
    """(L, C) tokens from what `pack` made."""
    import numpy as np

    loaded: Latents = np.load(BytesIO(data), allow_pickle=False)
    return loaded
