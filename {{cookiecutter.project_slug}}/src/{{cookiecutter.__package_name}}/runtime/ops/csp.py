"""Content security policies (CSP)."""

import base64
import hashlib


def source_of(text: str) -> str:
    """What allows this text as a style or script within a page, and no other."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
