"""Writes every picture: `make pictures`."""

from tests.rendering import ROOT

from . import PICTURES

FOLDER = ROOT / "docs" / "images" / "explanation"


def main() -> None:
    """Draw them all; one that no module draws any more is removed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.svg"):
        if old.stem not in PICTURES:
            old.unlink()
    for name, draw in PICTURES.items():
        file = FOLDER / f"{name}.svg"
        file.write_text(draw().svg(), encoding="utf-8")
        print(f"Wrote {file.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
