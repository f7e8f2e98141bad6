"""The report's style sheet, from page.css beside this file."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path


@cache
def style_sheet() -> str:
    """Return the style sheet without comments and needless space."""
    text = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return " ".join(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).split())
