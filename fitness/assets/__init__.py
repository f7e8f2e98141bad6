"""Holds what the shipped tasks are made of: small models of our own and their corpus, features of a larger one.

- corpus: the procedural documents
- digits: handwritten digits and their encoder
- harder: the documents of the task scale
- pretrain: trains the language models
- pretrain_digits: trains the digits' encoder
- scale/: the weights of the task scale
- transformer: the architecture
- truth/: statements, and what SmolLM2-135M makes of them
"""
