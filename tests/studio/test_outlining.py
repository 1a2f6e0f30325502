"""Pictures to drag boxes on; the dragging itself is tested in the browser (test_pages.py)."""

from __future__ import annotations

import re

from PIL import Image

from studio.outlining import SHOWN_SIDE, drawable, drawable_by_choice

LARGE = Image.new("RGB", (2 * SHOWN_SIDE, SHOWN_SIDE))


def test_boxes_count_in_the_pictures_pixels_however_small_it_is_shown() -> None:
    told = drawable(LARGE, "a <meadow>", "boxes", [(10, 20, 1500, 900)])
    assert f'viewBox="0 0 {2 * SHOWN_SIDE} {SHOWN_SIDE}"' in told
    assert '<rect x="10" y="20" width="1490" height="880">' in told
    assert 'data-into="boxes"' in told
    assert 'aria-label="a &lt;meadow&gt;"' in told
    assert LARGE.size == (2 * SHOWN_SIDE, SHOWN_SIDE)


def test_a_choice_names_the_field_where_there_are_several() -> None:
    told = drawable_by_choice(LARGE, "a meadow", "outlined")
    assert re.findall(r'data-\w+="\w+"', told) == ['data-choice="outlined"']
