"""Prices a call by the offline table of providers' prices."""

from __future__ import annotations


def price(url: str, model: str, tokens_in: int, tokens_out: int, cached: int = 0, written: int = 0) -> float | None:
    """Return the dollars of a call, `cached` (read from the provider's cache) and `written` (to it) being part of `tokens_in`.

    None when endpoint or model has no known price.
    """
    try:
        import genai_prices
    except ImportError:
        return None
    read = min(cached, tokens_in)
    usage = genai_prices.Usage(
        input_tokens=tokens_in,
        cache_read_tokens=read,
        cache_write_tokens=min(written, tokens_in - read),
        output_tokens=tokens_out,
    )
    try:
        return float(genai_prices.calc_price(usage, model, provider_api_url=url).total_price)
    except (LookupError, ValueError):
        return None
