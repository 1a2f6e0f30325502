"""What can be told of a page's accessibility by looking at it: contrast (WCAG 2.1, 1.4.3), names of controls
(4.1.2)."""

from __future__ import annotations

from playwright.sync_api import Page

FAINT = """
() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(linear)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
      if (a > 0.5) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const texts = [...element.childNodes].filter(node => node.nodeType === 3);
    const words = texts.map(node => node.textContent.trim()).join("");
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    const inert = element.closest("[disabled], [aria-hidden=true], script, style, .cm-editor");
    if (!words || inert || style.visibility === "hidden" || +style.opacity < 0.5 || box.width < 2) continue;
    const [one, other] = [light(parse(style.color)), light(ground(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05), large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5)) found.push(`${words.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return found;
}
"""
NAMELESS = """
() => [...document.querySelectorAll("input, textarea, select, button, [role=tab], [role=slider]")]
  .filter(it => it.getBoundingClientRect().width > 1 && !it.closest("[aria-hidden=true]"))
  .filter(it => !(it.getAttribute("aria-label") || it.getAttribute("aria-labelledby") || it.title
    || it.innerText?.trim() || it.placeholder || it.labels?.length || it.type === "file"
    || it.querySelector("img[alt]:not([alt=''])")))
  .map(it => it.outerHTML.slice(0, 120))
"""


def faint(page: Page) -> list[str]:
    """Visible texts with too little contrast to what they stand on, and their ratios."""
    return [str(text) for text in page.evaluate(FAINT)]


def nameless(page: Page) -> list[str]:
    """Visible controls that a screen reader has no name for."""
    return [str(text) for text in page.evaluate(NAMELESS)]
