"""The first settings: what a service starts with, and when it does not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from steadfast_service.runtime.config.configuration import Configuration
from steadfast_service.runtime.config.kept import Kept
from steadfast_service.runtime.config.opening import open_configuration
from steadfast_service.runtime.config.options import ConfigOptions
from steadfast_service.runtime.config.problems import InvalidSettings
from steadfast_service.runtime.config.reading import Reading, Source
from steadfast_service.runtime.config.sources.file import open_file
from steadfast_service.settings import Settings

from ...support.sources import Scripted, reading

SECRET = "hunter2hunter2hunter2"
URL = "centre://user:hunter2hunter2hunter2@centre.example/orders"


async def opened(
    centre: Scripted | None = None,
    explicit: Mapping[str, Any] | None = None,
    **environ: str,
) -> Configuration[Settings]:
    def open_centre(url: str, options: ConfigOptions) -> Source:
        assert centre is not None
        assert options.source.get_secret_value() == url == URL
        return centre

    if centre is not None:
        environ = {
            "CONFIG__SOURCE": URL,
            "CONFIG__START_TIMEOUT": "0.1",
            "CONFIG__BACKOFF": "0.001",
        } | environ
    ours = {f"APP_{name}": value for name, value in environ.items()}
    centres = {"file": open_file, "centre": open_centre}
    return await open_configuration(Settings, centres, ours, explicit or {})


async def refused(*args: Any, **options: Any) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        await opened(*args, **options)
    assert SECRET not in str(caught.value)
    assert all("\n" not in problem for problem in caught.value.problems)
    return caught.value.problems


async def test_every_layer_is_above_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    file = tmp_path / "settings.yaml"
    # Each layer names itself wherever the next ones may outdo it.
    file.write_text("log: {story_size: 1, ring_size: 1}\nhttp: {keep_alive: 1, grace: 3000}\n")
    (folder / "log.story_size").write_text("2\n")
    (folder / "log.ring_size").write_text("2\n")
    (folder / "http.keep_alive").write_text("2\n")
    centre = Scripted()
    centre.now = reading("1", log__story_size="3", http__keep_alive="3")
    config = await opened(
        centre,
        {"http": {"drain_delay": 5}},
        CONFIG__FILE=str(file),
        CONFIG__DIRECTORIES=f'["{folder}"]',
        HTTP__KEEP_ALIVE="4",
        HTTP__DRAIN_DELAY="4",
    )
    settings = config.settings
    assert settings.log.story_size == 3
    assert settings.log.ring_size == 2
    assert settings.http.grace == 3000
    assert settings.http.keep_alive == 4
    assert settings.http.drain_delay == 5
    assert settings.http.close_timeout == 5
    assert list(config.states) == ["file", f"directory {folder}", "centre"]
    await config.aclose()
    assert centre.closed


async def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    [problem] = await refused(CONFIG__FILE=str(tmp_path / "none.yaml"))
    assert "none.yaml" in problem
    [problem] = await refused(CONFIG__FILE=str(tmp_path / "settings.ini"))
    assert problem.startswith("APP_CONFIG__FILE: ")
    [problem] = await refused(CONFIG__DIRECTORIES=f'["{tmp_path / "none"}"]')
    assert "none" in problem


async def test_a_bad_file_stops_the_start_and_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[log]\nlevel = "loud"\n')
    [problem] = await refused(CONFIG__FILE=str(file))
    assert problem.startswith("APP_LOG__LEVEL: ")
    assert problem.endswith("(in file)")


async def test_an_unknown_kind_of_centre_is_refused_without_its_password() -> None:
    [problem] = await refused(CONFIG__SOURCE=f"zookeeper://me:{SECRET}@host/x")
    assert problem == ("APP_CONFIG__SOURCE: takes a URL that begins with one of file://, centre://")


@pytest.mark.parametrize("url", ["", "centre", "[::1", "http://[::1/x", "://"])
async def test_what_is_no_url_is_one_line(url: str) -> None:
    [problem] = await refused(CONFIG__SOURCE=url or " ")
    assert problem.startswith("APP_CONFIG__SOURCE: takes a URL that begins with one of ")


async def test_the_centre_may_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a centre.yaml"
    file.write_text("log: {level: debug}\n")
    config = await opened(CONFIG__SOURCE=f"file://{tmp_path}/a%20centre.yaml")
    assert config.settings.log.level == "debug"
    assert list(config.states) == ["source"]


async def test_a_required_centre_that_is_down_fails_the_start_in_one_line() -> None:
    centre = Scripted()
    centre.down = "http://centre.example:1 cannot be reached: refused"
    assert await refused(centre, CONFIG__REQUIRED="true") == [
        f"APP_CONFIG__SOURCE: {centre.down} (APP_CONFIG__REQUIRED is true)"
    ]
    assert centre.loads > 1  # it was tried until the deadline
    assert centre.closed


async def test_an_optional_one_that_is_down_is_done_without_and_said() -> None:
    centre = Scripted()
    centre.down = "refused"
    config = await opened(centre, LOG__LEVEL="warning")
    assert config.settings.log.level == "warning"
    assert config.status == "stale"
    [entry] = config.journal.refusals
    assert (entry.outcome, entry.reasons) == ("lost", ("refused",))
    config.offer("centre", reading("5", log__story_size="5"))
    assert (config.settings.log.story_size, config.status) == (5, "ok")


async def test_what_it_said_last_is_taken_from_the_disk(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    centre = Scripted()
    await Kept(kept).save(centre.where, reading("4", log__level="debug"))
    centre.down = "refused"
    config = await opened(centre, CONFIG__KEPT=str(kept))
    assert (config.settings.log.level, config.status) == ("debug", "stale")
    assert config.states["centre"].kept
    assert [entry.outcome for entry in config.journal.refusals] == ["lost", "kept"]
    config.offer("centre", reading("5", log__level="error"))
    assert (config.settings.log.level, config.status) == ("error", "ok")


async def test_and_stays_when_another_source_changes(tmp_path: Path) -> None:
    kept, file = tmp_path / "kept.json", tmp_path / "settings.yaml"
    file.write_text("{}")
    for down, now in (("refused", reading("5")), ("", BAD)):
        centre = Scripted()
        await Kept(kept).save(centre.where, reading("4", log__level="debug"))
        centre.down, centre.now = down, now
        config = await opened(centre, CONFIG__KEPT=str(kept), CONFIG__FILE=str(file))
        config.offer("file", reading("2", log__story_size="3"))
        assert (config.settings.log.level, config.settings.log.story_size) == ("debug", 3)
        assert config.states["centre"].kept
        assert config.status == "stale"


async def test_what_another_centre_said_is_not(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    await Kept(kept).save("elsewhere", reading("4", log__level="debug"))
    centre = Scripted()
    centre.down = "refused"
    config = await opened(centre, CONFIG__KEPT=str(kept))
    assert config.settings.log.level == "info"


async def test_a_broken_kept_file_is_said_and_done_without(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    kept.write_bytes(b"{")
    centre = Scripted()
    centre.down = "refused"
    config = await opened(centre, CONFIG__KEPT=str(kept))
    reasons = [entry.reasons[0] for entry in config.journal.refusals]
    assert reasons[1].startswith("APP_CONFIG__KEPT: ")


BAD = reading("6", log__level="loud")


async def test_what_is_invalid_at_the_start_does_not_stop_an_optional_one(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "kept.json"
    centre = Scripted()
    centre.now = BAD
    config = await opened(centre)
    assert (config.settings.log.level, config.status) == ("info", "degraded")
    await Kept(kept).save(centre.where, reading("4", log__level="debug"))
    config = await opened(centre, CONFIG__KEPT=str(kept))
    assert (config.settings.log.level, config.status) == ("debug", "stale")
    config.offer("centre", BAD)
    assert config.settings.log.level == "debug"
    assert config.journal.counts["refused"] == 1  # the same revision, said once
    config.offer("centre", reading("7", log__level="error"))
    assert (config.settings.log.level, config.status) == ("error", "ok")


async def test_nor_does_a_kept_state_that_is_no_longer_valid(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    centre = Scripted()
    await Kept(kept).save(centre.where, BAD)
    centre.down = "refused"
    config = await opened(centre, CONFIG__KEPT=str(kept))
    assert (config.settings.log.level, config.status) == ("info", "stale")
    assert not config.states["centre"].kept


async def test_a_required_one_that_is_invalid_fails_the_start() -> None:
    centre = Scripted()
    centre.now = BAD
    [problem] = await refused(centre, CONFIG__REQUIRED="true")
    assert problem.startswith("APP_LOG__LEVEL: ")
    assert problem.endswith("(in centre)")


async def test_what_is_wrong_without_the_centre_stays_wrong() -> None:
    centre = Scripted()
    centre.now = Reading({}, "1")
    [problem] = await refused(centre, LOG__LEVEL="loud")
    assert problem.startswith("APP_LOG__LEVEL: ")


async def test_a_centre_that_comes_late_is_waited_for() -> None:
    class Late(Scripted):
        async def load(self) -> Reading:
            if self.loads == 2:
                self.down = ""
            return await super().load()

    centre = Late()
    centre.down, centre.now = "starting", reading("1", log__level="debug")
    config = await opened(centre, CONFIG__REQUIRED="true", CONFIG__START_TIMEOUT="10")
    assert (config.settings.log.level, config.status) == ("debug", "ok")


@pytest.mark.parametrize("name", ["HTTP__GRACE", "CONFIG__START_TIMEOUT"])
async def test_a_bad_variable_is_told_whatever_it_is_about(name: str) -> None:
    [problem] = await refused(Scripted(), **{name: "x"})
    assert problem.startswith(f"APP_{name}: ")
