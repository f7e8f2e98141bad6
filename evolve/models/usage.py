"""What calls cost: prices from an offline table, sums, and the error for an answer that was paid for but cannot be used."""

from __future__ import annotations

from collections.abc import Iterable

from archives.nouns import Usage
from evolve.errors import ModelError
from evolve.nouns import Reply


class UnusableAnswer(ModelError):
    """An answer arrived, and was paid for, but cannot be used: it is empty, cut short or refused.

    Attributes:
        reply: what arrived and what it cost.
    """

    def __init__(self, sentence: str, reply: Reply) -> None:
        super().__init__(sentence)
        self.reply = reply


def price(url: str, model: str, tokens_in: int, tokens_out: int, cached: int = 0) -> float | None:
    """Return the dollars of a call, `cached` being part of `tokens_in`; None when endpoint or model has no known price."""
    try:
        import genai_prices
    except ImportError:
        return None
    usage = genai_prices.Usage(input_tokens=tokens_in, cache_read_tokens=min(cached, tokens_in), output_tokens=tokens_out)
    try:
        return float(genai_prices.calc_price(usage, model, provider_api_url=url).total_price)
    except (LookupError, ValueError):
        return None


def total(usages: Iterable[Usage]) -> Usage:
    """Add up calls to one model. One unknown price makes the sum unknown."""
    paid = [u for u in usages if u.calls]
    if not paid:
        return Usage()
    prices = [u.usd for u in paid if u.usd is not None]
    return Usage(
        model=paid[0].model,
        calls=sum(u.calls for u in paid),
        tokens_in=sum(u.tokens_in for u in paid),
        tokens_out=sum(u.tokens_out for u in paid),
        usd=sum(prices) if len(prices) == len(paid) else None,
        seconds=sum(u.seconds for u in paid),
    )
