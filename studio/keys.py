"""Keys that press a page's buttons, while nothing is typed. Which buttons there are is up to the page."""

from __future__ import annotations

import json

PRESSED = {
    "1": "#vote-left",
    "2": "#vote-right",
    "0": "#vote-tie",
    "ArrowLeft": "#vote-left, #box-previous",
    "ArrowRight": "#vote-right, #box-next",
    "p": "#box-previous",
    "n": "#box-next",
    "Backspace": "#box-undo",
}

KEYS = f"""
<script>
addEventListener("keydown", event => {{
  const on = event.target;
  if (/^(TEXTAREA|SELECT)$/.test(on.tagName) || on.isContentEditable) return;
  if (on.tagName === "INPUT" && !/^(button|checkbox|radio)$/.test(on.type)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const button = {json.dumps(PRESSED)}[event.key];
  const found = button && document.querySelector(button);
  if (found) {{ event.preventDefault(); (found.querySelector("button") || found).click(); }}
}});
</script>
"""
