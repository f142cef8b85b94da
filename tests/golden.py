"""Golden files: what a piece of the product gives, in a form that a human reads in a review."""

from __future__ import annotations

from pathlib import Path


def check_golden(path: Path, found: str, *, update: bool) -> None:
    """Compare with the file; `./dev test --update-golden` writes it anew."""
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8"), f"{path.name} differs; see ./dev test --update-golden"
