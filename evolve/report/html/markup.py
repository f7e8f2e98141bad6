"""Builds HTML and SVG from plain functions: every text is escaped unless it is markup that these functions made."""

from __future__ import annotations

import re
from html import escape

from evolve.text import as_json, clean

_VOID = {"meta", "br", "hr", "col", "rect", "circle", "line", "path", "polyline"}


class Safe(str):
    """Markup, as opposed to text; only `tag` and `join` make it."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | float | None) -> Safe:
    """Return an element; children that are not Safe are escaped, `class_` means class, other underscores become hyphens."""
    written = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    inside = join(*children)
    if not inside and name in _VOID:
        return Safe(f"<{name}{written}>" if name in ("meta", "br", "hr", "col") else f"<{name}{written}/>")
    return Safe(f"<{name}{written}>{inside}</{name}>")


def join(*children: str, by: str = "") -> Safe:
    """Return children side by side, escaping those that are text."""
    return Safe(by.join(child if isinstance(child, Safe) else escape(clean(child)) for child in children))


def data(name: str, value: object) -> Safe:
    """Return data for the page's script: nothing in it can end its element or begin another."""
    text = as_json(_cleaned(value), ensure_ascii=False, separators=(",", ":"))
    inert = re.sub(r"<(?=[/!]|script)", r"\\u003c", text, flags=re.IGNORECASE)
    return Safe(f'<script type="application/json" id="{name}">{inert}</script>')


def _cleaned(value: object) -> object:
    """Return data with its texts clean, before they become JSON, which reads escapes back."""
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return clean(value) if isinstance(value, str) else value


def _attribute(key: str, value: str | float | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    name = "viewBox" if name == "viewbox" else name  # the one SVG attribute in camel case that is used
    text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f' {name}="{escape(clean(text))}"'


_LONGEST = 60_000  # characters; a longer file is shown plain


def coloured(source: str) -> Safe:
    """Return source text with its keywords, strings, comments, numbers and defined names in spans."""
    if len(source) > _LONGEST:
        return join(source)
    from pygments.lexers import PythonLexer
    from pygments.token import Token

    kinds = (
        (Token.Comment, "sc"), (Token.Literal.String, "ss"), (Token.Literal.Number, "sn"), (Token.Keyword, "sk"),
        (Token.Operator.Word, "sk"), (Token.Name.Function, "sf"), (Token.Name.Class, "sf"), (Token.Name.Decorator, "sf"),
        (Token.Name.Builtin, "sb"),
    )  # fmt: skip
    parts: list[Safe] = []
    for token, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        class_ = next((class_ for kind, class_ in kinds if token in kind), "")
        parts.append(tag("span", text, class_=class_) if class_ and text.strip() else join(text))
    return join(*parts)
