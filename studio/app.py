"""The studio's pages, and serving them. Nothing is fetched from elsewhere and nobody is told of its use."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from studio import boxes_page, operator_page, place, study_page, words
from studio.connection import Connection
from studio.keys import KEYS
from studio.naming import NAMES
from studio.outlining import DRAWING
from studio.privacy import OWN_ONLY
from studio.theme import CSS, THEME


def pages(connection: Connection, study: Path | None, scenes: Path | None) -> gr.Blocks:
    """All pages. study, scenes: folders of what is judged and drawn"""
    with gr.Blocks(title=words.TITLE, analytics_enabled=False) as page:
        gr.Navbar(main_page_name="Place")
        place.draw(page, connection)
    with page.route("Study", "study"):
        gr.Navbar(main_page_name="Place")
        study_page.draw(page, study)
    with page.route("Boxes", "boxes"):
        gr.Navbar(main_page_name="Place")
        boxes_page.draw(page, scenes)
    with page.route("Operate", "operate"):
        gr.Navbar(main_page_name="Place")
        operator_page.draw(page, connection)
    return page


def serve(connection: Connection, host: str, port: int, study: Path | None, scenes: Path | None) -> gr.Blocks:
    """Serves the pages until closed; returns as soon as they are there."""
    page = pages(connection, study, scenes)
    page.queue(default_concurrency_limit=None)
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        ssr_mode=False,
        footer_links=[],
        enable_monitoring=False,
        theme=THEME,
        css=CSS,
        head=KEYS + NAMES + DRAWING + boxes_page.KEEPING,
        app_kwargs={"middleware": [OWN_ONLY]},
        _frontend=False,  # else it gives up where its first page takes 3 s, as on a busy machine
    )
    return page
