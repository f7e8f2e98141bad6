"""Texts of strangers: what nobody would see is there to see, wherever it is shown."""

import json
import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve.report.html.markup import data, join, tag
from evolve.report.markdown import _text
from evolve.text import clean, fence, holds_secret, one_line, printable_line, quote, unseen, visible

HIDDEN = (
    "\u200b\u200c\u200d\u200e\u2060\u2063\ufeff\u00ad\u202a\u202e\u2066\u2069\u061c\u180e\ufff9\U0001d173\U000e0001\U000e0041"
)
FILLERS = "\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u180b\ufe00\ufe0f\U000e0100\U0001d159"


@pytest.mark.parametrize("character", HIDDEN + FILLERS)
@pytest.mark.parametrize(
    "shown",
    [clean, visible, one_line, printable_line, fence, _text, join, lambda t: tag("p", t, title=t), lambda t: quote(t, ())],
)
def test_what_nobody_sees_is_an_escape_everywhere(character: str, shown) -> None:
    found = shown(f"pay{character}load")
    assert character not in found
    assert f"{ord(character):x}" in found


@pytest.mark.parametrize("character", HIDDEN + FILLERS)
def test_what_nobody_sees_is_an_escape_in_the_data_of_the_page_too(character: str) -> None:
    written = data("x", {"k" + character: [f"pay{character}load"]})
    (inside,) = re.findall(r">(.*)<", written)
    ((key, [value]),) = json.loads(inside).items()
    assert (key, value) == ("k" + visible(character), f"pay{visible(character)}load")
    assert character not in value


def test_no_character_that_unicode_calls_a_format_is_left() -> None:
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) in ("Cf", "Zl", "Zp", "Co", "Cn"):
            assert visible(chr(code)).isascii()


@given(st.text())
def test_cleaning_twice_is_cleaning_once_and_nothing_odd_is_left(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert all(c in "\n\t" or c.isprintable() or unicodedata.category(c) == "Zs" for c in once)
    assert unseen(once) == ""
    once.encode("utf-8")


def test_what_people_write_is_left_as_it_is() -> None:
    words = "na\u00efve e\u0301 \u4e2d\u6587 \u0905\u0928\u0941 \u05e9\u05c1 \U0001f600 \u2014 \u201cx\u201d\u00a0\u3000 a\tb\n"
    assert clean(words) == visible(words) == words


@pytest.mark.parametrize("code", ["\x1b", "\x07", "\x7f", "\x00", "\r"])
def test_controls_are_pictures(code: str) -> None:
    assert clean(f"a{code}b") == f"a{chr(0x2421 if code == chr(127) else 0x2400 + ord(code))}b"


@pytest.mark.parametrize(
    "name", ["eos_token", "pad_token", "stop_token", "bos-token", "forced_bos_token", "decoder_start_token"]
)
def test_a_token_of_a_text_is_no_secret(name):
    assert not holds_secret({"options": [{name: "</s>"}]})


def test_a_switch_is_no_secret_whatever_its_name():
    assert not holds_secret(
        {"use_auth": False, "key": None, "add_special_token": True, "max_tokens": 5, "prompt_cache_key": "a"}
    )


@pytest.mark.parametrize(
    "name",
    [
        *("auth", "basic_auth", "credentials", "Cookie", "Set-Cookie", "privateKey", "passphrase", "token", "hf_token", "jwt"),
        *("accessToken", "authtoken", "x-api-key", "apikey", "Authorization", "pwd", "DB_PASS", "client_secret", "api_keys"),
    ],
)
def test_a_field_that_is_named_like_a_secret_is_one(name):
    assert holds_secret({"options": [{name: "geheim"}]})
    assert holds_secret({name: {"value": "geheim"}})


KEYS = [
    *(
        "sk-geheim-0001",
        "AIzaSyGEHEIM0123",
        "ghp_0123456789abcdefGEHEIM",
        "github_pat_11ABC_geheim0123",
        "glpat-geheim_0123456",
    ),
    *(
        "hf_GeheimGeheimGeheimGeheim",
        "hf_geheim0123456789",
        "gsk_geheim0123456789",
        "xai-geheim0123456789",
        "nvapi-geheim-0123456789",
    ),
    *(
        "sk_live_geheim0123456789",
        "rk_test_geheim0123456789",
        "ya29.a0geheim_0123456789",
        "AKIA0123456789GEHEIM",
        "pplx-geheim01234567",
    ),
    *("xoxb-0123456789-geheim", "r8_geheim0123456789", "eyJhbGciOiJIUzI1NiJ9.eyJnZWhlaW0iOjF9.geheim-0123"),
]


@pytest.mark.parametrize("key", KEYS)
def test_what_begins_like_a_key_is_one_and_is_never_quoted(key):
    assert holds_secret({"list": [f"a {key}"]})
    assert quote(f"the key {key} is wrong", ()) == "the key [key] is wrong"


@pytest.mark.parametrize(
    "text", ["hf_transfer is missing", "hf_inference", "xai-v1", "asia and akia", "gsk_x", "eyJ", "sk_learn"]
)
def test_a_word_is_no_key(text):
    assert not holds_secret([text])
    assert quote(text, ()) == text
