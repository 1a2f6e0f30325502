"""Names for what Gradio leaves without: pictures of a gallery are called by their captions, where it calls
all of them thumbnails, by number; a brush's colours by their names."""

from __future__ import annotations

import json

from PIL import ImageColor

from studio.words import AVOID_COLOUR, REGION_COLOUR

_BY_HEX = {REGION_COLOUR: "Green", AVOID_COLOUR: "Red"}
COLOURS = {f"rgb{ImageColor.getrgb(colour)}": name for colour, name in _BY_HEX.items()}
NAMES = f"""
<script>
(() => {{
  const COLOURS = {json.dumps(COLOURS)};
  const call = (it, name) => {{ if (name && it.ariaLabel !== name) it.ariaLabel = name; }};
  new MutationObserver(() => {{
    for (const picture of document.querySelectorAll(".thumbnail-lg"))
      call(picture, picture.querySelector(".caption-label")?.innerText);
    for (const colour of document.querySelectorAll(".swatch button"))
      call(colour, COLOURS[colour.style.backgroundColor]);
  }}).observe(document, {{ subtree: true, childList: true, characterData: true }});
}})();
</script>
"""
