"""A stand-in for the token issuer, for development and tests: real signatures, any subject."""

import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

JWKS_PATH = "/.well-known/jwks.json"
ALGORITHM = "ES256"
SUBJECT = "developer"
TTL_SECONDS = 3600


class SandboxIssuer:
    """Gives a token to whoever asks; its key is made at start and nowhere else.

    Args:
        issuer: the `iss` of its tokens.
        audience: their `aud`.
    """

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._published: list[dict[str, Any]] = []
        self.rotate(keep_old=False)

    def rotate(self, *, keep_old: bool) -> None:
        """Sign with a new key; tokens of the old one stay valid while it is published."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.kid = secrets.token_hex(8)
        public = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        jwk = public | {"kid": self.kid, "alg": ALGORITHM, "use": "sig"}
        self._published = [jwk, *(self._published if keep_old else [])]

    def token(
        self, *, sub: str = SUBJECT, scope: str = "", ttl: float = TTL_SECONDS, **claims: Any
    ) -> str:
        """A signed token.

        Args:
            ttl: seconds until it expires.
            claims: more claims; they win over those above, and None takes one away.
        """
        now = int(time.time())
        usual = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": sub,
            "scope": scope,
            "iat": now,
            "exp": now + ttl,
        }
        payload = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(payload, self.key, ALGORITHM, headers={"kid": self.kid})

    def app(self) -> Starlette:
        """`GET /.well-known/jwks.json` and `POST /token` with `sub` and `scope`, JSON or form."""
        return Starlette(
            routes=[
                Route(JWKS_PATH, self._jwks, methods=["GET"]),
                Route("/token", self._issue, methods=["POST"]),
            ]
        )

    async def _jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": self._published})

    async def _issue(self, request: Request) -> Response:
        try:
            asked = _fields(request.headers.get("content-type", ""), await request.body())
        except ValueError as exc:
            return JSONResponse({"error": "invalid_request", "error_description": str(exc)}, 400)
        token = self.token(sub=asked.get("sub", SUBJECT), scope=asked.get("scope", ""))
        return JSONResponse(
            {"access_token": token, "token_type": "Bearer", "expires_in": TTL_SECONDS},
            headers={"Cache-Control": "no-store"},
        )


def _fields(content_type: str, body: bytes) -> dict[str, str]:
    """`sub` and `scope` of the body, where it has them.

    Raises:
        ValueError: it is neither a JSON object nor a form, or one of them is not a string.
    """
    if content_type.partition(";")[0].strip().lower() == "application/json":
        members = json.loads(body)
    else:
        members = dict(parse_qsl(body.decode()))
    if not isinstance(members, dict):
        raise ValueError("the body is not an object")
    fields = {name: members[name] for name in ("sub", "scope") if name in members}
    if not all(isinstance(value, str) for value in fields.values()):
        raise ValueError("sub and scope are strings")
    return fields
