"""`/faults`: what is injected on purpose; add one, take one away, end all of it."""

from starlette.requests import Request
from starlette.responses import Response

from ..active_faults import ActiveFaults, RefusedFault
from ..faults import Fault
from ..http.problems import Problem
from .access import Access
from .commands import command, resource, wrong
from .documents import Document, Pages
from .probes import json_response


def fault_pages(faults: ActiveFaults, access: Access, *, allowed: bool) -> Pages:
    """What is shown, and the routes.

    Args:
        allowed: whether faults may be added here; ending them is always possible.
    """

    document = Document(
        "/faults",
        "what is injected on purpose now",
        lambda: {"allowed": allowed, "faults": [faults.report(one) for one in faults.all()]},
    )

    async def add(request: Request) -> Response:
        access.check(request)
        if not allowed:
            setting = "APP_FAULTS__ALLOW_IN_PRODUCTION"
            raise Problem(403, f"No faults in production, unless {setting}=true.")
        fault = await command(request, Fault)
        try:
            added = faults.add(fault)
        except RefusedFault as exc:
            raise (wrong(exc.field, str(exc)) if exc.field else Problem(409, f"{exc}.")) from None
        access.record("fault added", request, id=added.id, fault=fault.model_dump())
        response = json_response(faults.report(added), 201)
        response.headers["location"] = f"/faults/{added.id}"
        return response

    async def show_one(request: Request) -> Response:
        one = faults.get(request.path_params["id"])
        if one is None:
            raise Problem(404)
        return json_response(faults.report(one))

    async def remove(request: Request) -> Response:
        access.check(request)
        id_ = request.path_params["id"]
        if not faults.remove(id_):
            raise Problem(404)
        access.record("fault removed", request, id=id_)
        return Response(status_code=204)

    async def clear(request: Request) -> Response:
        access.check(request)
        access.record("faults removed", request, ids=faults.clear())
        return Response(status_code=204)

    routes = [
        resource(document.path, GET=document.show, POST=add, DELETE=clear),
        resource("/faults/{id}", GET=show_one, DELETE=remove),
    ]
    return Pages(document, routes)
