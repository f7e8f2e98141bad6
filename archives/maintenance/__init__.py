"""Checks, copies, merges, regrids and repairs whole archives.

- backup: a copy, also while a run is writing
- check: what does not hold in an archive
- merge: several runs made into one
- regrid: a run moved onto another grid
- repair: a damaged archive made whole
- salvage: the rows that can still be read
"""
