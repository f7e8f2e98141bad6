"""Takes a model's thoughts out of its reply: what it said to itself is no answer, however its server marks it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from evolve.operators.llm.fences import FENCE, Scanner
from evolve.text import visible

SEARCH, REPLACE = (re.compile(p) for p in (r"^([ \t]*)<{5,9}\s?SEARCH\s*$", r"^[ \t]*>{5,9}\s?REPLACE\s*$"))
MIDDLE = re.compile(r"^={5,9}\s*$")
DEFINES_METHOD = re.compile(r"^\s*def\s+method\s*\(")
SECOND_CHANCES = 4  # ends of thoughts inside of what looks like code that are tried

_WORD = (
    r"think(?:ing|s)?|thoughts?|reason(?:ing|s)?|reflect(?:ions?|ing)?|analysis|scratch[_-]?pad|monologue|planning|deliberation"
    r"|(?:inner|internal|hidden)[_-](?:monologue|thoughts?|reasoning|thinking)|chain[_-]of[_-]thoughts?|cot"
)
_THINKING = r"(?:think(?:ing)?|thoughts?|reasoning)"
# What opens and closes a thought, besides tags: <think>, [THINK], ◁think▷, <|START_THINKING|>, <|begin_of_thought|>.
_PAIRS = {
    "channel": (
        r"<\|channel\|>\s?(?:analysis|commentary|thought)\b",
        r"<\|channel\|>\s?final\b(?:[^<]|<\|constrain\|>){0,80}<\|message\|>",
    ),
    "bare_channel": (r"^(?-i:analysis(?=[A-Z]))", r"(?-i:assistantfinal)"),  # the same from a server that drops special tokens
    "one_bar": (r"<\|channel>\s?thought\b", r"<channel\|>"),
    "inner": (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),
    "unused": (r"<unused94>", r"<unused95>"),
    "spoken": (r"^[ \t]*thinking(?:\.\.\.|…)[ \t]*$", r"^[ \t]*(?:\.\.\.|…)\s?done thinking\.?[ \t]*$"),
    "process": (r"^[ \t]*here(?:'s| is) my thought process:", r"^[ \t]*here(?:'s| is) my response:"),
    "details": (
        r"<details[^<>]{0,80}reasoning[^<>]{0,80}>|<summary[^<>]{0,80}>[^<>]{0,40}\b" + _THINKING + r"\b[^<>]{0,40}</summary>",
        r"</details>",
    ),
    "turn": (r"<\|im_start\|>\s?" + _THINKING + r"\b", r"<\|im_end\|>"),
}
_PROSE = frozenset(("bare_channel", "spoken", "process"))  # words that open a thought at the very beginning of a reply only
_ONLY_WHEN_OPEN = frozenset(("spoken", "process", "details", "turn"))  # words that close a thought of their own kind only
# The name in a tag may have more words: <antThinking>, <self_reflection>; <think_end> closes what <think_start> opens.
_BEFORE = r"(?:(?:[a-z0-9]{{1,20}}[_-]){{1,2}}|(?:begin|start|end)of|(?-i:[a-z]{{2,12}}(?=[A-Z])))?"
_BEHIND = r"(?:[_-][a-z]{{1,20}})?"
_SLASH = r"(?P<{0}_slash>/)?\s?(?:\w{{1,30}}:)?"
_TAG = _SLASH + r"(?P<{0}_name>" + _BEFORE + r"(?P<{0}>" + _WORD + r"|plan|drafts?|brainstorm(?:ing)?)" + _BEHIND + ")"
_PLAIN_TAG = _SLASH + r"(?P<{0}_name>(?P<{0}>" + _WORD + "))"
_TAGS = ("angle", "escaped", "square", "triangle", "lens")
_CLOSES = re.compile(r"(?<![a-z])(?:end|stop)(?![a-z])|endof", re.IGNORECASE)
_MARK = re.compile(
    "|".join(
        [
            r"<[|｜]?" + _TAG.format("angle") + r"(?:[\s|｜][^<>]{0,100})?(?<!/)>",
            r"&lt;" + _TAG.format("escaped") + r"&gt;",
            r"(?:(?<![\w)\]])\[|\[(?=/))" + _PLAIN_TAG.format("square") + r"\](?![(\[:])",
            r"◁" + _TAG.format("triangle") + r"▷",
            r"【" + _TAG.format("lens") + r"】",
            *(f"(?P<open_{kind}>{opens})|(?P<close_{kind}>{closes})" for kind, (opens, closes) in _PAIRS.items()),
        ]
    ),
    re.IGNORECASE | re.MULTILINE,
)
_MAY_MARK = re.compile(r"[<\[◁【]|&lt;|assistantfinal|^(?:\s*(?:thinking|here|\.\.\.|…)|analysis)", re.IGNORECASE)
_WRAPPING = re.compile(r"<\|\w{2,30}\|>|<｜[^｜<>]{1,40}｜>|</?(?:answer|response|output|solution|final)>", re.IGNORECASE)
_MARKS_END = (  # what ends a reply where its server shows it
    r"(?:<\|\w{2,30}\|>|<｜[^｜<>]{1,40}｜>|</s>|<(?:end|eo)\w{0,20}>|<\w{2,20}\|>|(?<![\w\])])\[(?:EOS|EOT|END|/INST)\])"
)
_LAST = re.compile(_MARKS_END + r"\Z", re.IGNORECASE)
_BEHIND_FENCE = re.compile(_MARKS_END, re.IGNORECASE)
# Where a model went on to write the turn of who asks.
_NEXT_TURN = re.compile(
    r"^[ \t]*"
    + _MARKS_END
    + r"{0,4}[ \t]*(?:<\|?(?:im_start|start_header_id|start|start_of_turn|turn|role)\|?>\s?(?:user|human)\b"
    r"|<[|｜](?:user|human)[|｜]>|(?:<s>)?\[INST\])",
    re.IGNORECASE | re.MULTILINE,
)
_END, _MOST_ENDS = 60, 4  # characters of one of them at most, and how many may follow each other


class Unreadable(Exception):
    """A reply that does not have the format asked for; the message is a sentence."""


def spoken(reply: str) -> str:
    """Return a reply with plain line ends and without thoughts. Raises Unreadable when it ends inside one.

    What stands in a fenced block or an edit is code, whatever it holds. What comes before the end of a thought that nothing
    opened is a thought: some servers leave its beginning in the prompt.
    """
    for _ in range(_MOST_ENDS):
        reply = reply.rstrip()
        reply = reply[:-_END] + _LAST.sub("", reply[-_END:])
    reply = _plain(reply.replace("\r\n", "\n").replace("\r", "\n"))
    if not _may_hold_marks(reply) or not any(mark.search(reply) for mark in (_MARK, _WRAPPING, _BEHIND_FENCE, _NEXT_TURN)):
        return reply
    lines = _lines(reply)
    whole = _scanned(lines)
    for end in whole.ends_in_code[
        : -SECOND_CHANCES - 1 : -1
    ]:  # a draft whose fence was never closed hides the end of its thought
        rest = _scanned(lines[end + 1 :])
        if rest.closed and rest.answers and not rest.torn:
            whole = rest
            break
    if whole.thinking:
        raise Unreadable("the reply breaks off inside its thoughts")
    return "\n".join(whole.kept)


def _plain(reply: str) -> str:
    """Return a reply without what nobody sees at its beginning, and in the lines that are a fence or a marker of an edit."""
    if reply.isascii():
        return reply
    lines = reply.split("\n")
    lines[0] = lines[0].lstrip(_odd(lines[0]))
    return "\n".join(map(_plain_marker, lines))


def _plain_marker(line: str) -> str:
    if line.isascii() or not any(mark in line for mark in ("```", "~~~", "<<<<<", "=====", ">>>>>")):
        return line
    plain = line.translate(dict.fromkeys(map(ord, _odd(line))))
    return plain if any(marker.match(plain) for marker in (FENCE, SEARCH, MIDDLE, REPLACE)) else line


def _odd(text: str) -> str:
    """Return the characters of a text beyond ASCII that are blanks, or that nobody sees."""
    return "".join({c for c in text if not c.isascii() and (c.isspace() or visible(c) != c)})


def _may_hold_marks(reply: str) -> bool:
    """Tell quickly whether a look at every character is worth its time."""
    bracket = any(character in reply for character in ("<", "[", "◁", "【", "&lt;"))
    return bracket or "assistantfinal" in reply or reply[:400].lstrip()[:8].lower().startswith(("thinking", "analysis", "here"))


def _lines(reply: str) -> list[str]:
    """Return the lines; a mark right behind the fence that closes a block begins a line of its own."""
    parts: list[str] = []
    for line in reply.split("\n"):
        fence = FENCE.match(line)
        behind = fence[3].lstrip() if fence else ""
        split = bool(behind) and (
            bool(_BEHIND_FENCE.match(behind)) or any(start == 0 and not opens for _, opens, (start, _) in _marks(behind))
        )
        parts += [line[: fence.start(3)], behind] if fence and split else [line]
    return parts


@dataclass
class _Scan:
    """What was found in lines.

    Attributes:
        kept: the lines that are no thought.
        thinking: the kind of the thought that is open, "" for none.
        closed: whether no block and no edit is open at the end.
        answers: whether a whole edit, or a file in a block, is among the lines kept.
        torn: whether an edit ends that never began.
        ends_in_code: the numbers of lines in code that end a thought and do nothing else.
    """

    kept: list[str] = field(default_factory=list)
    thinking: str = ""
    closed: bool = True
    answers: bool = False
    torn: bool = False
    ends_in_code: list[int] = field(default_factory=list)


def _scanned(lines: list[str]) -> _Scan:
    found = _Reader(lines, strings=True).read()
    return found if found.closed or not any(map(FENCE.match, lines)) else _Reader(lines, strings=False).read()


class _Reader:
    """Reads lines once."""

    def __init__(self, lines: list[str], *, strings: bool) -> None:
        self._lines, self._found = lines, _Scan()
        self._fences, self._editing = Scanner(strings), False
        # where the last mark that closes each kind of thought stands
        self._last = {kind: n for n, line in enumerate(lines) for kind, opens, _ in _marks(line) if not opens}

    def read(self) -> _Scan:
        for number, line in enumerate(self._lines):
            if self._found.thinking or not self._is_code(number, line):
                if not self._found.thinking and _NEXT_TURN.match(line):
                    break
                self._take(number, line)
        self._found.closed = not (self._fences.open or self._editing)
        return self._found

    def _is_code(self, number: int, line: str) -> bool:
        """Keep a line of code as it is."""
        was_open, found = self._fences.open or self._editing, self._found
        if self._editing:
            self._editing = not (">>>>>" in line and REPLACE.match(line))
            found.answers |= not self._editing
        elif "<<<<<" in line and SEARCH.match(line):
            self._editing = True
        elif not self._fences.is_fence(line) and not was_open:
            return False
        if was_open:
            found.answers |= bool("method" in line and DEFINES_METHOD.match(line))
            if _MAY_MARK.search(line) and _ends_a_thought(line.strip()):
                found.ends_in_code.append(number)
        found.kept.append(line)
        return True

    def _take(self, number: int, line: str) -> None:
        """Keep of a line what is no thought."""
        if not self._found.thinking and not _MAY_MARK.search(line):
            self._keep(number, line, "", line)
            return
        kept, at = "", 0
        for kind, opens, (start, end) in _marks(line):
            found = self._found
            if found.thinking:
                if not opens and (kind == found.thinking or self._last.get(found.thinking, -1) < number):
                    found.thinking, at = "", end
            elif opens:
                if kind not in _PROSE or not any(map(str.strip, [*found.kept, line[:start]])):
                    kept += line[at:start]
                    found.thinking = kind
            elif kind not in _ONLY_WHEN_OPEN:  # all that came before was a thought
                kept, at, self._found = "", end, _Scan()
        self._keep(number, line, kept, "" if self._found.thinking else _WRAPPING.sub("", line[at:]))

    def _keep(self, number: int, line: str, before: str, rest: str) -> None:
        """Keep what a line has before and behind a thought; a block or an edit may begin right behind it."""
        found = self._found
        if rest != line and (FENCE.match(rest) or SEARCH.match(rest)):
            found.kept += [before] if before else []
            self._is_code(number, rest)
        elif before or not found.thinking:
            found.torn |= bool(">>>>>" in line and REPLACE.match(line))
            found.kept.append(before + rest)


def _ends_a_thought(text: str) -> bool:
    return any(not opens and at == (0, len(text)) for _, opens, at in _marks(text))


def _marks(line: str) -> list[tuple[str, bool, tuple[int, int]]]:
    """Return the marks in a line: the kind, whether it opens a thought, and where it stands; one in backticks is a mention."""
    found = []
    for mark in _MARK.finditer(line) if _MAY_MARK.search(line) else ():
        start, end = mark.span()
        if line[start - 1 : start] == "`" == line[end : end + 1]:
            continue
        name = next(n for n in (*_TAGS, *_NAMES) if mark[n] is not None)
        if name in _NAMES:
            opens, _, kind = name.partition("_")
            found.append((kind, opens == "open", (start, end)))
        else:
            closes = mark[f"{name}_slash"] or _CLOSES.search(mark[f"{name}_name"])
            found.append((mark[name].lower(), not closes, (start, end)))
    return found


_NAMES = tuple(f"{end}_{kind}" for kind in _PAIRS for end in ("open", "close"))
