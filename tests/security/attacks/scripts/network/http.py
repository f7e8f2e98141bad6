"""Wants to fetch a page. Success: the listener was called."""

import urllib.request

from outside import PORT, attempt


def method(problem):
    return attempt(problem, lambda: urllib.request.urlopen(f"http://127.0.0.1:{PORT}/labels", timeout=0.2).read())
