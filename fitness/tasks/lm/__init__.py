"""Defines the task of language models on AAR's folders: texts that a weak model labels and a strong one learns from.

- checks: whether a domain of texts is honest and enough
- models: finds and loads models that are on this machine
- options: what a user says of the task
- prompts: tokens of prompts, and of the two answers
- results: the results of AAR's runs
- rows: rows of text with their labels
"""
