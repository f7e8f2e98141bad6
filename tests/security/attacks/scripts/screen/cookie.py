"""Wants to hide code in another encoding, named by a cookie. Success: the hidden import is taken.

Plain: Python refuses it too.
"""


def source():
    return "# -*- coding: utf-7 -*-\ndef method(problem):\n    return 1\n# +AAo-import os\n"
