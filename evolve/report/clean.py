"""Making untrusted text (sources, replies, messages, ideas) safe to print: none of it may steer a terminal or an eye."""

from __future__ import annotations

import json
import math
from typing import Any

_SAFE = "\n\t"
_HIDDEN = (0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)

# C0 controls become their pictures (escape is ␛); C1 controls and direction overrides the replacement character.
_TABLE: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in _SAFE},
    0x7F: "\u2421",
    **dict.fromkeys((*range(0x80, 0xA0), *_HIDDEN), "\ufffd"),
}


def clean(text: str) -> str:
    """Return text in which control characters, direction overrides and lone surrogates are visible and harmless."""
    return text.replace("\r\n", "\n").translate(_TABLE).encode("utf-8", "replace").decode("utf-8")


def one_line(text: str, width: int = 0) -> str:
    """Return clean text on one line, cropped with an ellipsis to `width` characters (0: not cropped)."""
    line = clean(" ".join(text.split()))
    return line if not width or len(line) <= width else line[: width - 1].rstrip() + "…"


def as_json(value: object, **how: Any) -> str:
    """Return data as JSON that any terminal may see: what is not finite becomes null, and control characters are escaped."""
    return json.dumps(finite(value), allow_nan=False, **how).replace("\x7f", "\\u007f")


def finite(value: object) -> object:
    """Return data for JSON: numbers that are not finite become None, which JSON can say."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
