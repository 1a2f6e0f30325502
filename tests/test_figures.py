"""A figure is kept with the test, whether it is good or not."""

from __future__ import annotations

import pytest

from tests.figures import Figure, seen


def test_a_figure_inside_its_bound_is_kept_and_printed(
    figure: Figure, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    figure(2, "done again", 3.21)
    assert list(seen(request.node.user_properties)) == [(2, "done again", 3.21)]
    assert capsys.readouterr().out == "fault 2: done again 3.21 s\n"


def test_a_figure_outside_its_bound_fails_the_test_and_is_kept(
    figure: Figure, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(AssertionError, match="row 2 promises done again ≤ 15 s, seen 15.50 s"):
        figure(2, "done again", 15.5)
    assert list(seen(request.node.user_properties)) == [(2, "done again", 15.5)]
    request.node.user_properties.clear()  # no figure of the real row


def test_a_figure_that_is_not_promised_is_refused(figure: Figure) -> None:
    with pytest.raises(KeyError):
        figure(2, "mood", 1)


def test_other_properties_are_no_figures() -> None:
    assert list(seen([("owner", "x"), ("fault 3: engine gone", "soon"), ("fault 3: engine gone", 1)])) == [
        (3, "engine gone", 1)
    ]
