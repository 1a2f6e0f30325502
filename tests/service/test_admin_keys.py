"""Keys at /admin: shown once, listed without secrets, rotated, revoked, noted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api_schemas.keys import SCOPES
from tests.service.test_admin import Operated, get, operated, operator, post

__all__ = ["operated", "operator"]


def create(operator: httpx.Client, **asked: Any) -> Any:
    answer = operator.post("/admin/tenants/acme/keys", json=asked)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Location"] == "/admin/tenants/acme/keys"
    return answer.json()


def status(operated: Operated, key: str, path: str = "/v1/insertions") -> int:
    return httpx.get(operated.url + path, headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_is_shown_once_and_opens_what_it_may(operator: httpx.Client, operated: Operated) -> None:
    made = create(operator, name="shop", scopes=["usage"])
    assert status(operated, made["key"], "/v1/usage") == 200
    assert status(operated, made["key"]) == 403
    listed = get(operator, "/admin/tenants/acme/keys")["data"]
    assert [(key["id"], key["name"], key["scopes"]) for key in listed] == [(made["id"], "shop", ["usage"])]
    assert listed[0]["last_used_at"]
    assert made["key"].rpartition("_")[2] not in operator.get("/admin/tenants/acme/keys").text
    assert create(operator)["scopes"] == list(SCOPES)


def test_a_key_is_rotated_and_revoked(operator: httpx.Client, operated: Operated) -> None:
    old = create(operator, name="shop")
    new = operator.post(f"/admin/keys/{old['id']}/rotate", json={"overlap_seconds": 60}).json()
    assert [status(operated, one["key"]) for one in (old, new)] == [200, 200]
    refused = operator.post("/admin/tenants/acme/keys", json={"name": "shop"})
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert operator.delete(f"/admin/keys/{old['id']}").status_code == 204
    assert operator.delete(f"/admin/keys/{old['id']}").status_code == 404
    newest = operator.post(f"/admin/keys/{new['id']}/rotate", json={"overlap_seconds": 0}).json()
    assert [status(operated, one["key"]) for one in (old, new, newest)] == [401, 401, 200]
    acts = get(operator, "/admin/acts")["data"]
    assert [act["what"] for act in acts] == ["rotate_key", "revoke_key", "rotate_key", "create_key"]
    assert all(act["by"].startswith("key ") for act in acts)


@pytest.mark.parametrize(
    "asked", [{"scopes": []}, {"scopes": ["all"]}, {"expires_in_seconds": 0}, {"name": "x" * 65}, {"a": 1}]
)
def test_keys_that_are_none_are_refused(operator: httpx.Client, asked: dict[str, Any]) -> None:
    assert operator.post("/admin/tenants/acme/keys", json=asked).status_code == 422
    assert operator.post("/admin/tenants/ACME/keys", json={}).status_code == 422
    post(operator, "/admin/keys/none/rotate", 422)
    assert operator.post("/admin/keys/0123456789ab/rotate", json={}).status_code == 404
