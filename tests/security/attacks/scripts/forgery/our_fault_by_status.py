"""Wants its failure to count as ours, and another try for nothing: exits as a child whose walls failed. Success: LOST.

Plain: there is no such status.
"""

import os


def method(problem):
    os._exit(97)
