"""What made a picture, said inside: IPTC's Digital Source Type as XMP (ISO 16684-1), and nothing else.

Knows neither how a picture is encoded nor where it lies.
"""

from __future__ import annotations

from typing import Any, Literal

from PIL.PngImagePlugin import PngInfo

from runtime.version import SERVICE, service_version

SourceType = Literal["compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"]
"""An edited picture of somebody's, and one that is the model's altogether (cv.iptc.org/newscodes)."""
VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# The id says that a packet begins (ISO 16684-1, 7.3.2); "r": nobody may change it in its place.
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" Iptc4xmpExt:DigitalSourceType="{kind}"'
    ' xmp:CreatorTool="{tool}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)
_TEXT = "XML:com.adobe.xmp"  # the keyword of a PNG's iTXt chunk


def packet(made: SourceType) -> str:
    """The XMP of a picture that was made so."""
    return _PACKET.format(kind=VOCABULARY + made, tool=f"{SERVICE} {service_version()}")


def saving(xmp: str, format: str) -> dict[str, Any]:
    """The options that have PIL write the packet into a file of this format: png, jpeg or webp."""
    if format != "png":
        return {"xmp": xmp.encode()}
    info = PngInfo()
    info.add_itxt(_TEXT, xmp)
    return {"pnginfo": info}


def found_in(info: dict[Any, Any]) -> str | None:
    """The packet of an opened picture by its `info`; None where it has none."""
    found = info.get("xmp", info.get(_TEXT))
    return found.decode() if isinstance(found, bytes) else found
