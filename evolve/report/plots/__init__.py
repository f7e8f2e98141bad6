"""Draws the plots of a run for a paper, with matplotlib.

- figures: what each plot shows
- plots: one file a plot
- tiles: heat maps
"""
