"""Checks a proposal before anything is spent on it: step 5 of ten. A subprocess, the worker, parses it.

- canonical: canonical form, structure, sketch
- capacity: how much a source carries
- dead_code: what never runs
- examine: compile, parse, check
- remembered: where a source could keep fitted constants
- rules: imports and signature
- screen: size, text, duplicates
- scrambling: the source with others in their place
- worker: the limited subprocess
"""
