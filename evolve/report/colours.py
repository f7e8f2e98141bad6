"""Python source with its syntax marked for the style sheet."""

from __future__ import annotations

from evolve.report.markup import Safe, join, tag

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
