"""Runs the search: every candidate goes through the ten steps.

- candidate: a candidate, and proposals that are resumed
- context: what a search is given
- engine: the ten steps
- feedback: deleted lines that come back
- final_evaluation: the finalists on fresh and held-out instances
- loop: how many candidates set off, and when it ends
- pipeline: the steps in flight and their threads
- proposing: worst case, drafts, silent models
- recorder: steps 9 and 10
- reporter: events and snapshots
- restore: a session's state, out of the archive
- seeding: methods that no operator made
- state: methods, scores, flags, the best
"""
