"""What prompts were encoded to: another edit of a source tells the text encoders nothing they were told
before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence

import torch

from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.conditioning import Conditioning

MOST_TEXTS = 32
"""Some megabytes each."""


class TextMemory:
    """Encoded prompts, each of the source it was told with, the least recently used making room.

    host: where they are kept; device: where they are wanted
    """

    def __init__(self, host: torch.device, device: torch.device) -> None:
        self.host, self.device = host, device
        self._texts: OrderedDict[tuple[Hashable, str, float], Conditioning] = OrderedDict()

    def __len__(self) -> int:
        return len(self._texts)

    def encode(
        self, backbone: Backbone, source: Hashable, prompts: Sequence[str], guidance: Sequence[float]
    ) -> list[Conditioning]:
        """As `Backbone.encode_prompts`, which is asked for those alone that are not known of `source`.

        source: names the weights as well
        """
        wanted = [(source, *told) for told in zip(prompts, guidance, strict=True)]
        known = {key: self._recall(key) for key in wanted if key in self._texts}
        new = [key for key in dict.fromkeys(wanted) if key not in known]
        if new:
            _, texts, scales = zip(*new, strict=True)
            known |= zip(new, backbone.encode_prompts(texts, scales), strict=True)
        for key in new:
            self._keep(key, known[key])
        return [known[key] for key in wanted]

    def forget(self, source: Hashable) -> None:
        """Drop what was told with a source."""
        for key in [key for key in self._texts if key[0] == source]:
            del self._texts[key]

    def _recall(self, key: tuple[Hashable, str, float]) -> Conditioning:
        self._texts.move_to_end(key)
        return self._texts[key].to(self.device)

    def _keep(self, key: tuple[Hashable, str, float], text: Conditioning) -> None:
        self._texts[key] = text.to(self.host)
        while len(self._texts) > MOST_TEXTS:
            self._texts.popitem(last=False)
