"""A picture on which boxes are dragged: each becomes text in a field, which is what counts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from io import BytesIO

from PIL import Image

SHOWN_SIDE = 1024  # pixels; a larger picture is shown smaller, its boxes count in its own
DRAWING = """
<script>
(() => {
  const SMALLEST = 3;
  let begun = null;
  const at = (svg, event) => {
    const { width, height } = svg.viewBox.baseVal, shown = svg.getBoundingClientRect();
    const along = (value, length, whole) => Math.round(Math.min(1, Math.max(0, value / length)) * whole);
    return [along(event.clientX - shown.left, shown.width, width),
            along(event.clientY - shown.top, shown.height, height)];
  };
  const box = event => {
    const [x, y] = at(begun.svg, event), [left, top] = begun.at;
    return [Math.min(left, x), Math.min(top, y), Math.max(left, x), Math.max(top, y)];
  };
  const shape = (rect, [left, top, right, bottom]) => {
    const sides = { x: left, y: top, width: right - left, height: bottom - top };
    for (const [name, value] of Object.entries(sides)) rect.setAttribute(name, value);
  };
  const added = (svg, into) => {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    rect.dataset.of = into;
    return svg.appendChild(rect);
  };
  const field = into => document.querySelector(`#${into} :is(textarea, input)`);
  const chosen = svg => document.querySelector(`#${svg.dataset.choice} input:checked`)?.value;
  addEventListener("pointerdown", event => {
    const svg = event.target.closest?.("svg.drawable");
    if (!svg || event.button !== 0) return;
    const into = svg.dataset.into || chosen(svg);
    begun = { svg, into, rect: added(svg, into), at: at(svg, event) };
    event.preventDefault();
  });
  addEventListener("pointermove", event => { if (begun) shape(begun.rect, box(event)); });
  addEventListener("pointercancel", () => { begun?.rect.remove(); begun = null; });
  addEventListener("pointerup", event => {
    if (!begun) return;
    const corners = box(event), [left, top, right, bottom] = corners, text = field(begun.into);
    if (right - left < SMALLEST || bottom - top < SMALLEST) begun.rect.remove();
    else {
      const before = begun.svg.dataset.into ? text.value.trim() : "";
      text.value = [before, corners.join(", ")].filter(Boolean).join("\\n");
      text.dispatchEvent(new Event("input", { bubbles: true }));
    }
    begun = null;
  });
  window.drawBoxes = said => {
    const svg = document.querySelector("svg.drawable[data-choice]");
    for (const [into, text] of Object.entries(svg ? said : {})) {
      svg.querySelectorAll(`rect[data-of=${into}]`).forEach(rect => rect.remove());
      const corners = (text ?? "").match(/-?\\d+/g)?.map(Number) ?? [];
      if (corners.length === 4 && corners[0] < corners[2] && corners[1] < corners[3])
        shape(added(svg, into), corners);
    }
  };
})();
</script>
"""
"""A drag becomes a further line of the field that the picture names, or all that the one chosen beside it
says; `drawBoxes` draws what those say, however it came there."""


def drawable(picture: Image.Image, told: str, into: str, boxes: Sequence[tuple[int, ...]] = ()) -> str:
    """HTML: the picture under its boxes, which count in its pixels.

    told: for those who do not see it; into: the field whose lines the boxes are
    """
    return _svg(picture, told, f'data-into="{into}"', "".join(map(_rect, boxes)))


def drawable_by_choice(picture: Image.Image, told: str, choice: str) -> str:
    """The same with a box for each field. choice: of a radio whose values are the fields"""
    return _svg(picture, told, f'data-choice="{choice}"', "")


def _svg(picture: Image.Image, told: str, where: str, inside: str) -> str:
    width, height = picture.size
    shown = picture.copy()
    shown.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    file = BytesIO()
    shown.save(file, "JPEG", quality=90)
    link = f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"
    return (
        f'<svg class="drawable" {where} viewBox="0 0 {width} {height}" '
        f'style="max-width: calc(70vh * {width} / {height})" role="img" aria-label="{escape(told)}">'
        f'<image href="{link}" width="{width}" height="{height}"></image>{inside}</svg>'
    )


def _rect(box: tuple[int, ...]) -> str:
    left, top, right, bottom = box
    return f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"></rect>'
