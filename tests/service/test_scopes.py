"""What keys may do: every route says what it needs, and holds to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from redis import Redis

from api_schemas.keys import SCOPES, Scope
from job_store.api_keys import ApiKeys
from runtime.settings import Settings
from service import dependencies
from service.app import create_app, create_operators_app
from tests.service.test_problems import assert_problem

OPEN = {"/livez", "/readyz", "/metrics", "/v1/artifacts/{key:path}"}
"""Open to all, but for the last, whose links are signed."""


def routes(settings: Settings) -> list[APIRoute]:
    tenants = create_app(settings)
    operators = create_operators_app(tenants.state.gateway)
    assert not [route for route in tenants.openapi()["paths"] if route.startswith("/admin")]
    included: list[Any] = [*tenants.routes, *operators.routes]
    found: list[APIRoute] = []
    while included:
        route = included.pop()
        if isinstance(route, APIRoute):
            found.append(route)
        included += getattr(getattr(route, "original_router", None), "routes", [])
    return found


def guards(dependant: Dependant) -> Iterator[tuple[object, tuple[str, ...]]]:
    """Every check of a key on the way to a route, and the scopes it is asked for."""
    for one in dependant.dependencies:
        if one.call in (dependencies.tenant, dependencies.operator):
            yield one.call, tuple({*(one.parent_oauth_scopes or ()), *(one.own_oauth_scopes or ())})
        yield from guards(one)


def test_every_route_names_one_scope_or_is_an_operators(settings: Settings) -> None:
    found = routes(settings)
    assert len(found) > 50
    for route in found:
        asked = set(guards(route.dependant))
        if route.path in OPEN:
            assert asked == set(), route.path
        elif route.path.startswith("/admin/"):
            assert asked == {(dependencies.operator, ())}, route.path
        else:
            ((call, scopes),) = asked
            assert call is dependencies.tenant, route.path
            assert len(scopes) == 1, (route.path, scopes)
            assert scopes[0] in SCOPES, route.path
            changes = (route.methods or set()) - {"GET"}
            assert not (changes and scopes[0] == "insertions:read"), route.path


def test_a_key_without_the_scope_is_refused_everywhere(
    address: str, redis: Redis, settings: Settings
) -> None:
    document = create_app(settings).openapi()
    keys = {scope: ApiKeys(redis).create("acme", scope, set(SCOPES) - {scope}) for scope in SCOPES}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for way in operation.get("security", ()):
                for scope in way.get("HTTPBearer", ()):
                    url = address + re.sub(r"\{\w+\}", "x", path)
                    headers = {"Authorization": f"Bearer {keys[scope]}"}
                    refused = httpx.request(method, url, headers=headers)
                    assert refused.status_code == 403, (method, path, refused.text)
                    assert "forbidden_scope" in refused.text


@pytest.mark.parametrize(
    ("scope", "path"),
    [("insertions:read", "/v1/insertions"), ("usage", "/v1/usage"), ("webhooks", "/v1/webhook-endpoints")],
)
def test_a_key_with_the_scope_alone_comes_in(address: str, redis: Redis, scope: Scope, path: str) -> None:
    key = ApiKeys(redis).create("acme", "", [scope])
    headers = {"Authorization": f"Bearer {key}"}
    assert httpx.get(address + path, headers=headers).status_code == 200
    problem = assert_problem(httpx.get(f"{address}/v1/images/x", headers=headers), 403, "forbidden_scope")
    assert problem.data == {"needed": ["images"], "scopes": [scope]}


def test_a_foreign_job_is_missing_to_readers_and_forbidden_to_others_alike(
    address: str, redis: Redis, client_of: Callable[[str], httpx.Client]
) -> None:
    headers = {"Authorization": f"Bearer {ApiKeys(redis).create('acme', '', ['usage'])}"}
    answers = [httpx.get(f"{address}/v1/insertions/{name}", headers=headers) for name in ("x", "ins_other")]
    assert [answer.json()["code"] for answer in answers] == ["forbidden_scope"] * 2


def test_keys_come_in_the_header_alone(address: str, redis: Redis) -> None:
    key = ApiKeys(redis).create("acme", "")
    for name in ("key", "api_key", "access_token", "Authorization"):
        assert_problem(httpx.get(f"{address}/v1/insertions", params={name: key}), 401, "unauthorized")
        cookie = {"Cookie": f"{name}={key}"}
        assert_problem(httpx.get(f"{address}/v1/insertions", headers=cookie), 401, "unauthorized")
