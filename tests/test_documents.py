"""The reader of pages finds what is wrong with a page."""

from pathlib import Path

import psutil
import pytest

from tests.documents.blocks import Use, blocks
from tests.documents.reading import matches, read

PAGE = Path("page.md")


def _read(text: str, folder: Path) -> None:
    read(blocks(PAGE, text), folder, folder / "reading")


def test_commands_files_and_changes_are_done_in_order(tmp_path: Path) -> None:
    text = """
```text file=said/words.txt
one
```

```sh
cd said
number=2
```

```diff
--- a/words.txt
+++ b/words.txt
@@ -1 +1 @@
-one
+two
```

```sh
cat words.txt; echo $number 127.0.0.1:8000
```

```text
two
2 127.0.0.1:...
```
"""
    _read(text, tmp_path)
    assert tmp_path.joinpath("said", "words.txt").read_text() == "two\n"


def test_a_command_that_fails_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:6 ended with 3\noh"):
        _read("```sh\ntrue\n```\n\nText\n```sh\necho oh; (exit 3)\necho never\n```\n", tmp_path)


def test_what_is_printed_must_be_what_the_page_says(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:5 says\nyes\nand it printed\nno\n"):
        _read("```sh\necho no\n```\n\n```text\nyes\n```\n", tmp_path)


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("...\nd\n", "d\n", True),
        ('{"id":"...","n":1}', '{"id":"x","n":1}\n', True),
        ('{"id":"...","n":1}', '{"id":"x","n":2}\n', False),
        ("b", "ab\n", False),
    ],
)
def test_dots_stand_for_anything(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same


def test_what_a_page_leaves_running_is_ended(tmp_path: Path) -> None:
    _read("```sh\nsleep 600 &\necho $! > pid\n```\n", tmp_path)
    assert not psutil.pid_exists(int(tmp_path.joinpath("pid").read_text()))


def test_a_fence_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"page\.md:1: need means nothing"):
        blocks(PAGE, "```sh need=cluster\ntrue\n```\n")


def test_other_blocks_are_for_reading() -> None:
    text = "```text\nno output\n```\n\n```python\nx = 1\n```\n"
    assert [block.use for block in blocks(PAGE, text)] == [Use.READ, Use.READ]
