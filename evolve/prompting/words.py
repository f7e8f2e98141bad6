"""Reads the words of the prompts, templates/*.md, and gives all that writes prompts a digest."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent


@cache
def template(name: str) -> Template:
    """Return the prompt text `templates/NAME.md`."""
    return Template((FOLDER / "templates" / f"{name}.md").read_text(encoding="utf-8").rstrip("\n"))


@cache
def digest() -> str:
    """Return a digest of this folder: of the words, and of the code that puts them together."""
    found = hashlib.sha256()
    for path in sorted([*FOLDER.glob("*.py"), *FOLDER.glob("templates/*.md")]):
        found.update(f"{path.name} ".encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()[:16]
