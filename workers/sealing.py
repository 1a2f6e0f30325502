"""Signs what the model made, where there is something to sign with. Knows no store."""

from __future__ import annotations

from runtime.content_credentials import Credentials, Parent, created, edited
from workers.pictures import Picture


def sealed(picture: Picture, credentials: Credentials | None, source: bytes | None) -> bytes:
    """The picture's file as it is to be stored. source: the PNG that was edited, None where there was none.

    Maps of numbers and an uploaded source are nobody's creation here, hence never signed.
    """
    if credentials is None or picture.made is None:
        return picture.data
    parent = Parent(source, "png", "source") if source is not None else None
    actions = created(picture.made) if parent is None else edited(picture.made)
    return credentials.sign(picture.data, picture.format, actions, parent)
