"""A vendor over HTTP: authenticate, meter, authorize, answer; every refusal in the vendor's envelope."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from sequences_mcp.sandbox.rest.call import Call, Endpoint, Reply, Vendor
from sequences_mcp.sandbox.rest.refusal import BadInput, NoSuch, Refused
from sequences_mcp.sandbox.world.whole import ApiKey, World

METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
NOBODY = ApiKey(token="", name="nobody")


def mounted(vendor: Vendor, world: World) -> Mount:
    """Return the routes of one vendor below its prefix; anything else there is the vendor's own 404."""
    routes: list[BaseRoute] = [_route(vendor, world, endpoint) for endpoint in vendor.endpoints]
    routes += [_route(vendor, world, Endpoint(method, "/{rest:path}", _nothing_here)) for method in METHODS]
    return Mount(vendor.prefix, routes=routes)


def _nothing_here(call: Call) -> Reply:
    raise NoSuch("Route")


def _route(vendor: Vendor, world: World, endpoint: Endpoint) -> Route:
    async def respond(request: Request) -> Response:
        content = await request.body()
        call = Call(
            world=world,
            key=NOBODY,
            now=world.settle(),
            path=request.path_params,
            query=request.query_params,
            headers=request.headers,
            content=content,
        )
        return response(_answered(vendor, endpoint, call), world)

    return Route(endpoint.path, respond, methods=[endpoint.method])


def _answered(vendor: Vendor, endpoint: Endpoint, call: Call) -> Reply:
    metered: dict[str, str] = {}
    try:
        key = vendor.authenticate(call.headers, call.world.keys[vendor.name])
        metered.update(vendor.meter(call.world, key, endpoint.method))
        vendor.authorize(key, endpoint, call.query)
        reply = endpoint.answer(replace(call, key=key))
    except (BadInput, NoSuch) as problem:
        reply = refusal(vendor, vendor.refuse(problem), call.world)
    except Refused as refused:
        reply = refusal(vendor, refused, call.world)
    return Reply(reply.body, reply.status, {**metered, **reply.headers})


def refusal(vendor: Vendor, refused: Refused, world: World) -> Reply:
    """Return a refusal in the vendor's envelope, with an id to quote."""
    return Reply(vendor.envelope(refused, world.new_id("req")), refused.status, refused.headers)


def response(reply: Reply, world: World) -> Response:
    """Return a reply as HTTP; the date is the sandbox's own, so that dates in other headers agree with it."""
    headers = {"date": format_datetime(world.now().astimezone(UTC), usegmt=True), **reply.headers}
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    content = json.dumps(reply.body, ensure_ascii=False).encode(errors="replace")
    return Response(content, reply.status, headers, media_type="application/json")
