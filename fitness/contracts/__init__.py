"""States what a method is handed, what it may return, how that is scored, and which probes apply.

- probabilities: from a weak teacher's labels to class probabilities
"""
