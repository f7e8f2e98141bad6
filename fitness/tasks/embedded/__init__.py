"""Defines the embedded task: small models and data that are shipped, nothing to download.

- deceptive: the domain code_deceptive
- digits: the domain digits
- drawing: an instance of raw features
- features: what a language model knows of an item
- grammar: the kinds of step of weak-to-strong methods
- language: the domains chat, math and code
- source: the instances of every domain
- task: sizes, domains, limits
"""
