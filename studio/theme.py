"""How it looks: colours with contrast in light and dark, the system's own fonts."""

from __future__ import annotations

from gradio.themes import Base, Font
from gradio.themes.utils import colors, sizes

SANS = [Font("system-ui"), Font("-apple-system"), Font("Segoe UI"), Font("Roboto"), Font("sans-serif")]
MONO = [Font("ui-monospace"), Font("Menlo"), Font("Consolas"), Font("monospace")]

THEME = Base(
    primary_hue=colors.teal,
    secondary_hue=colors.slate,
    neutral_hue=colors.slate,
    font=SANS,
    font_mono=MONO,
    radius_size=sizes.radius_md,
).set(
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover_dark="*primary_800",
    button_primary_text_color="white",
    color_accent="*primary_700",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_300",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_300",
    block_title_text_color="*neutral_700",
    block_label_text_color="*neutral_700",
    input_placeholder_color="*neutral_500",
    input_placeholder_color_dark="*neutral_400",
)

CSS = """
.gradio-container { width: 100%; max-width: 1320px !important; margin: 0 auto; box-sizing: border-box; }
.note { padding: .6rem .8rem; border-radius: 6px; background: var(--background-fill-secondary); }
.trouble { border-left: 4px solid #b42318; background: #fef3f2; color: #7a1f16; }
.dark .trouble { background: #3b1512; color: #fecdc9; border-left-color: #f97066; }
#trouble:not(:has(.note)), #boxes-trouble:not(:has(.note)), #operator-trouble:not(:has(.note)),
  #results:not(:has(.verdicts)), #understood:not(:has(.note)), #live:not(:has(.note)):not(:has(.live)),
  #bare:not(:has(.note)) { display: none; }
.html-container { padding: 0 !important; }
.live { display: flex; flex-direction: column; gap: .4rem; padding: .4rem 0; }
.live progress { width: 100%; height: .7rem; appearance: none; border: 0; }
.live progress::-webkit-progress-bar { background: var(--neutral-200); border-radius: 99px; }
.live progress::-webkit-progress-value { background: var(--primary-700); border-radius: 99px; }
.dark .live progress::-webkit-progress-bar { background: var(--neutral-700); }
.dark .live progress::-webkit-progress-value { background: var(--primary-500); }
.dark { --color-accent: var(--primary-400); }
#result img, #cutout img, #study-left img, #study-right img
  { width: 100%; height: 100%; object-fit: contain; }
.fixed-height { min-height: 0 !important; max-height: none !important; }
.grid-wrap { padding-top: 2.2rem !important; }
.thumbnail-item.thumbnail-lg { display: flex; flex-direction: column; height: auto !important;
  aspect-ratio: auto !important; }
.thumbnail-lg > img { flex: none; height: auto !important; aspect-ratio: 1; }
.thumbnail-lg > .caption-label { position: static !important; flex: 1; max-width: none !important;
  border: 0 !important; border-radius: 0 !important; white-space: normal !important; text-align: left; }
#previews { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); }
#previews > * { min-width: 0 !important; }
#previews img { width: 100%; height: auto; aspect-ratio: auto 1; }
#previews .gone img { opacity: .35; }
svg.drawable { display: block; width: 100%; height: auto; margin: 0 auto; cursor: crosshair;
  touch-action: none; }
svg.drawable rect { fill: rgb(26 152 80 / .25); stroke: #1a9850; stroke-width: 2;
  vector-effect: non-scaling-stroke; }
svg.drawable rect[data-of=avoid] { fill: rgb(215 48 31 / .25); stroke: #d7301f; }
#results { scroll-margin-top: .5rem; }
.verdicts { list-style: none; margin: 0; padding: 0; display: grid; gap: .35rem; }
.verdicts li { padding-left: .6rem; border-left: 4px solid #1a7f37; }
.verdicts li.missing { border-left-color: #b45309; }
.verdicts li.dropped { border-left-color: var(--neutral-400); }
.verdicts + p { margin-top: .8rem; }
.verdicts ol { margin: .2rem 0 .2rem 1.2rem; list-style: decimal; }
:focus-visible { outline: 3px solid var(--primary-500) !important; outline-offset: 2px; }
@media (max-width: 800px) {
  #live:has(.live) { position: fixed !important; inset: auto 0 0 0; z-index: 50;
    padding: .3rem 1rem !important;
    background: var(--background-fill-primary); border-top: 1px solid var(--border-color-primary); }
}
@media (max-width: 480px) {
  .gradio-container { padding: .5rem !important; }
  .grid-container { grid-template-columns: repeat(3, minmax(0, 1fr)) !important; }
  #previews { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
"""
"""No comma stands within parentheses: Gradio parts selectors at commas, whatever is around them."""
