"""Operators that edit a method with libcst and need no model."""
