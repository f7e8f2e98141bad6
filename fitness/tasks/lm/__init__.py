"""Defines the task of language models on AAR's folders: texts that a weak model labels and a strong one learns from.

- checks: whether a domain of texts is honest and enough
- cost: memory and seconds, before anything is spent
- kept: what models computed, in files
- models: finds and loads models that are on this machine
- options: what a user says of the task
- prompts: tokens of prompts, and of the two answers
- rates: how fast models are read and trained here
- readers: what models make of a domain (builder process only)
- results: the results of AAR's runs
- rows: rows of text with their labels
- source: the instances of every domain (builder process only)
- task: the task, by a folder
"""
