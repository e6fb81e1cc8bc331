"""A stand-in for the payments service, for development: real HTTP, no real money."""

from fastapi import FastAPI
from pydantic import BaseModel

# Minor units. Amounts from here on are declined, so that both outcomes can be tried.
DECLINED_FROM = 50_000_000


class Authorization(BaseModel):
    """What the gateway sends."""

    order_id: str
    amount: int
    currency: str


def sandbox_app() -> FastAPI:
    """The application; it keeps nothing, and equal questions get equal answers."""
    app = FastAPI(title="payments sandbox", docs_url=None, redoc_url=None)

    @app.post("/authorizations")
    async def authorise(authorization: Authorization) -> dict[str, bool]:
        return {"approved": authorization.amount < DECLINED_FROM}

    return app
