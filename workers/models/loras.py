"""Low-rank adapters (arXiv 2106.09685) that an operator lists by name: loaded once, worn for one request."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.addit.errors import UnsupportedOption
from workers.models.errors import MissingPackage, ModelFilesBroken


@dataclass(frozen=True)
class Loras:
    """A pipeline's adapters, all loaded and none active between requests."""

    pipe: Any
    names: tuple[str, ...]

    @contextmanager
    def worn(self, weights: Mapping[str, float]) -> Iterator[None]:
        """Inside, exactly these adapters are active at these weights; after it none is, whatever happens.

        Raises `UnsupportedOption` for a name that was not loaded.
        """
        unknown = sorted(set(weights) - set(self.names))
        if unknown:
            known = ", ".join(self.names) or "none"
            raise UnsupportedOption(f"no LoRA {', '.join(unknown)}; there are: {known}")
        if not weights:
            yield
            return
        self.pipe.enable_lora()
        try:
            self.pipe.set_adapters(list(weights), list(weights.values()))
            yield
        finally:
            self.pipe.disable_lora()


def load_loras(pipe: Any, places: Mapping[str, str]) -> Loras:
    """Load adapters by name from files, directories or hub repositories (`owner/name` or `owner/name:file`).

    Raises `MissingPackage`, `ModelFilesBroken`.
    """
    for name, place in places.items():
        try:
            _load(pipe, name, place)
        except ValueError as error:
            if "PEFT" in str(error):
                raise MissingPackage("loras", "peft") from error
            raise ModelFilesBroken(f"LoRA {name} at {place} does not fit this model: {error}") from error
        except (OSError, RuntimeError, KeyError) as error:
            raise ModelFilesBroken(f"LoRA {name} at {place} does not open: {error}") from error
        except Exception as error:
            if type(error).__module__.startswith("safetensors"):
                raise ModelFilesBroken(f"LoRA {name} at {place} is damaged: {error}") from error
            raise
    if places:
        pipe.disable_lora()
    return Loras(pipe, tuple(places))


def _load(pipe: Any, name: str, place: str) -> None:
    path = Path(place)
    folder, _, file = (str(path.parent), "", path.name) if path.is_file() else place.partition(":")
    with warnings.catch_warnings():
        # peft warns of a second adapter; several are what is wanted
        warnings.filterwarnings("ignore", "Already found a `peft_config` attribute", UserWarning)
        pipe.load_lora_weights(folder, adapter_name=name, **({"weight_name": file} if file else {}))
