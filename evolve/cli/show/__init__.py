"""Prints for people what verbs found."""
