"""Lists the research directions that a search begins with: those of weak-to-strong supervision, and general ones."""

from __future__ import annotations

from fitness.nouns import Direction

LITERATURE = "literature"

DIRECTIONS = (
    Direction(
        "representation",
        "What the strong model knows may be plain in few dimensions. Look at the representation before the labels.",
        ("represent", "head"),
    ),
    Direction(
        "bootstrapping",
        "A student that has learnt something true can teach itself the rest (Scudder 1965; Yarowsky 1995).",
        ("rounds", "shape", "select"),
    ),
    Direction(
        "geometry",
        "Truth seems to lie along simple directions of a language model's representation (Marks and Tegmark 2023).",
        ("represent", "head", "rounds"),
    ),
    Direction(
        "neighbours",
        "Points that are alike should be labelled alike, whatever the teacher says of each (Zhu et al. 2003).",
        ("head", "represent", "finish"),
    ),
    Direction(
        "confidence",
        "Some of the teacher's labels are worth more than others. Which, and does it know (Lee 2013)?",
        ("select", "weigh"),
    ),
    Direction(
        "noise",
        "Treat the teacher as a noisy channel that can be estimated and undone (Dawid and Skene 1979; Natarajan et al. 2013).",
        ("rounds", "shape", "weigh"),
    ),
    Direction(
        "robust losses",
        "Errors look like outliers to a loss that can shrug them off (Zhang and Sabuncu 2018).",
        ("loss", "head"),
    ),
    Direction(
        "overruling",
        "Let the student disagree with its teacher where it has reasons of its own (Burns et al. 2023).",
        ("loss", "shape", "rounds"),
    ),
    Direction(
        "memorisation",
        "Networks learn what is simple and shared before they learn what is wrong (Arpit et al. 2017).",
        ("head", "ensemble"),
    ),
    Direction(
        "committees",
        "Several students make different mistakes, and can find each other's (Breiman 1996; Han et al. 2018).",
        ("ensemble", "head"),
    ),
    Direction(
        "elicitation",
        "Perhaps the labels are only needed to tell which end is up (Burns et al. 2022).",
        ("represent", "head", "finish"),
    ),
    Direction(
        "balance",
        "The classes are balanced, and neither the teacher's labels nor the student's answers need be.",
        ("shape", "select", "finish"),
    ),
)

GENERAL = (
    Direction("structure", "What is the structure of the data before anything is asked of it? Use it.", ()),
    Direction("simplicity", "A simpler model with the right bias beats a flexible one. Which bias is right here?", ()),
    Direction("uncertainty", "Estimate how sure each part of the answer is, and let the sure parts lead (Settles 2009).", ()),
    Direction("committees", "Several models make different mistakes; combine them (Breiman 1996).", ()),
    Direction("iteration", "Improve the answer in rounds, each of which begins with the last one (Dempster et al. 1977).", ()),
    Direction("robustness", "Some of what is given is wrong. Shrug it off rather than fit it (Huber 1964).", ()),
    Direction("optimisation", "Perhaps the objective is right and its optimum was not reached: starts, steps, schedules.", ()),
    Direction("objective", "Perhaps what is optimised is not what is scored. Bring the two together.", ()),
)
