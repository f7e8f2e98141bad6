"""The page's style sheet and script, from the files beside this one."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_STYLES = ("page.css", "charts.css")
_SCRIPTS = ("page.js", "table.js", "live.js")


@cache
def style_sheet() -> str:
    """Return the style sheet without comments and needless space."""
    text = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _STYLES)
    return " ".join(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).split())


@cache
def script() -> str:
    """Return the script: the files one after the other in a scope of their own, without indentation."""
    text = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _SCRIPTS)
    lines = (line.strip() for line in text.splitlines())
    return '(() => {\n"use strict";\n' + "\n".join(line for line in lines if line and not line.startswith("//")) + "\n})();"
