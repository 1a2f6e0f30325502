"""What made a picture stands in its file, and nothing else does."""

from __future__ import annotations

from io import BytesIO
from typing import get_args
from xml.etree import ElementTree

import pytest
from PIL import Image

from runtime.digital_source import VOCABULARY, SourceType, found_in, packet, saving

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
GRADIENT = Image.linear_gradient("L").convert("RGB")


def source_type(xmp: str) -> str | None:
    """As any reader of XMP finds it."""
    described = ElementTree.fromstring(xmp).find(f"{RDF}RDF/{RDF}Description")
    assert described is not None
    return described.get(f"{IPTC}DigitalSourceType")


@pytest.mark.parametrize("made", get_args(SourceType))
def test_a_packet_is_xmp_with_the_terms_address(made: SourceType) -> None:
    assert source_type(packet(made)) == VOCABULARY + made
    assert packet(made).startswith('<?xpacket begin="\ufeff"')


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_a_packet_is_read_as_it_was_written(form: str) -> None:
    file, told = BytesIO(), packet("trainedAlgorithmicMedia")
    GRADIENT.save(file, form, **saving(told, form))
    with Image.open(file) as picture:
        assert found_in(picture.info) == told
        assert picture.getexif() == {}


def test_a_picture_without_one_has_none() -> None:
    assert found_in(GRADIENT.info) is None
