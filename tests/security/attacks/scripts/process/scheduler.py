"""Wants to give another process the idle policy. Success: the victim's policy changed."""

import os

from outside import VICTIM, attempt


def method(problem):
    return attempt(problem, lambda: os.sched_setscheduler(VICTIM, os.SCHED_IDLE, os.sched_param(0)))
