"""The headers of every answer of the console."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# What came in from outside is on the page. Were it ever not escaped, it could still run
# nothing, load nothing and send nothing; and no other site can frame the page or read it.
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
NOT_KEPT = {**HEADERS, "cache-control": "no-store"}
