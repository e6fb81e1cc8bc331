"""A real Prometheus that scrapes service processes every second."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import yaml

from .process import free_port, until
from .server import ServerProcess, program

# Its URL, and the labels that an operator would give it.
Target = tuple[str, Mapping[str, str]]


class Prometheus(ServerProcess):
    """One server, with its data below `folder`.

    Args:
        targets: what to scrape; the same one may be there twice, with other labels.
    """

    def __init__(self, folder: Path, targets: Sequence[Target]) -> None:
        super().__init__(folder / "prometheus.log")
        self._program = program("prometheus", "REQUIRE_PROMETHEUS")
        self._folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._targets = len(targets)
        scrapes = [
            {"targets": [target.removeprefix("http://")], "labels": dict(labels)}
            for target, labels in targets
        ]
        job = {"job_name": "pods", "scrape_interval": "1s", "static_configs": scrapes}
        config = yaml.safe_dump({"scrape_configs": [job | {"scrape_timeout": "1s"}]})
        folder.joinpath("prometheus.yml").write_text(config)

    async def start(self) -> None:
        """Start it, and wait until it has scraped everything."""
        self.run(
            [
                self._program,
                f"--config.file={self._folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ]
        )
        await until(lambda: self.query("sum(up)") == [self._targets])

    def query(self, query: str) -> list[float]:
        """The values of an instant query; nothing while it does not answer."""
        try:
            answer = httpx.get(f"{self.url}/api/v1/query", params={"query": query})
        except httpx.TransportError:
            return []
        if answer.status_code == 503:  # it starts
            return []
        assert answer.status_code == 200, answer.text
        return [float(one["value"][1]) for one in answer.json()["data"]["result"]]
