"""What the tests of the kept state share."""

from steadfast_service.runtime.config.kept import Kept
from steadfast_service.runtime.config.reading import Reading

WHERE = "http://etcd:2379 /orders"
OLD = Reading({"log/level": b"info", "app.yaml": b"a: 1\n"}, "41")
NEW = Reading({"log/level": b"debug"}, "42")


def loaded(kept: Kept, source: str = WHERE) -> Reading:
    """What is kept of a source, which must be there."""
    found = kept.load(source)
    assert found is not None
    return found[0]


def files(kept: Kept) -> list[str]:
    """The names of all that is in its folder."""
    return sorted(each.name for each in kept.path.parent.iterdir())
