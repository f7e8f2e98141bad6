"""Holds the small models of the embedded tier: what they are trained on, how, and their weights.

- corpus: the procedural documents
- digits: handwritten digits and their encoder
- pretrain: trains the language models
- pretrain_digits: trains the digits' encoder
- transformer: the architecture
"""
