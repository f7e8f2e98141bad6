"""Tests methods for reward hacks: what holds for every honest method is tried on changed problems.

- constants: fitted elsewhere, told by others in their place
- derived: probes of what a contract declares
- evidence: what several instances say together
- examination: a method run on changed problems
- frame: principal components, turned
- probes: the table of probes
- suite: what a probe is held to
"""
