"""The glossary: enough words, in order, and the same sentences as on the page."""

from __future__ import annotations

import re
from pathlib import Path

from evolve.report.html.search import TERMS


def entries(root: Path) -> dict[str, str]:
    text = (root / "docs" / "glossary.md").read_text()
    found = re.findall(r"^- \*\*(.+?)\*\*: (.+?)(?=^- |\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(dict(found)) == len(found), "a term stands twice"
    return {term: " ".join(about.split()) for term, about in found}


def test_the_glossary_explains_forty_terms_in_order_and_briefly(root: Path) -> None:
    terms = entries(root)
    assert len(terms) >= 40
    assert list(terms) == sorted(terms, key=str.casefold)
    for term, about in terms.items():
        assert about.endswith((".", ".)")), term
        assert len(re.findall(r"\.(?: |\)|$)", about.replace("et al. ", "et al "))) <= 2, f"{term}: one or two sentences"


def test_the_page_says_the_same_as_the_glossary(root: Path) -> None:
    terms = entries(root)
    for term, text in TERMS:
        assert terms[term].startswith(text), term
