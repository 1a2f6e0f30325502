"""Latents come back from their files as they went in."""

from __future__ import annotations

import numpy as np

from workers.latent_files import pack, unpack


def test_a_file_holds_what_was_put_in() -> None:
    latents = np.random.default_rng(1).normal(size=(64, 16)).astype(np.float16)
    found = unpack(pack(latents))
    assert found.dtype == np.float16
    assert np.array_equal(found, latents)
    assert len(pack(latents)) < latents.nbytes + 200
