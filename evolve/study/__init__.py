"""Studies: several strategies of search at equal budget on one task, each with several seeds, and what came of them."""
