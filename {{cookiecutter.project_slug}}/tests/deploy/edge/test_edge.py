"""The pod of the edge overlay without its uplink: it starts, serves, remembers and drains."""

from pathlib import Path

import anyio
import httpx
import pytest

from steadfast_service.runtime.config.centres import CENTRES
from steadfast_service.runtime.config.kept import Kept
from steadfast_service.runtime.config.options import ConfigOptions
from steadfast_service.runtime.config.reading import Reading

from ...support.process import Process
from .site import TOKEN, Site

UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """One site, and nothing beyond it."""
    return Site(tmp_path)


async def remembered(site: Site) -> dict[str, str]:
    """Leave on the site's disk what the configuration centre said last, if it follows one."""
    env = site.environment(site.container)
    url = env.get("APP_CONFIG__SOURCE", "")
    if not url:
        return {}
    centre = CENTRES[url.partition(":")[0]](url, ConfigOptions())
    kept = Kept(env["APP_CONFIG__KEPT"])
    await kept.save(centre.where, Reading({"shedding/max_in_flight": b"48"}, "7"))
    await centre.close()
    return {"APP_SHEDDING__MAX_IN_FLIGHT": "48"}


def resident(process: Process) -> int:
    """Bytes of memory that a process holds."""
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def number(quantity: str) -> int:
    """Bytes that a quantity of Kubernetes' means."""
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


@pytest.mark.anyio
async def test_a_site_without_its_uplink_starts_serves_and_drains(site: Site) -> None:
    expected = {"APP_ENVIRONMENT": "production", **await remembered(site)}
    site.migrate()
    with site.starting() as process:
        process.wait_ready()
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
            assert (await client.get(f"{process.url}/api/version")).status_code == 200
            shown = (await client.get(f"{process.ops_url}/config")).json()["settings"]
        assert expected == {name: str(shown[name]["value"]) for name in expected}
        held, limit = resident(process), number(site.container["resources"]["limits"]["memory"])
        assert held < 0.8 * limit, f"{held >> 20} MiB of {limit >> 20}"
        process.signal()
        with anyio.fail_after(site.pods.spec["terminationGracePeriodSeconds"]):
            assert await process.ended() == 0


def test_its_disk_is_where_it_writes(site: Site) -> None:
    volumes = {one["name"]: one for one in site.pods.spec["volumes"]}
    mounts = {one["mountPath"]: one["name"] for one in site.container["volumeMounts"]}
    for one in site.container["env"]:
        if one["name"] in {"APP_DATABASE__URL", "APP_CONFIG__KEPT"}:
            path = Path("/", one["value"].rpartition("//")[2])
            assert "persistentVolumeClaim" in volumes[mounts[str(path.parent)]]
