"""Every delivery decision of the notebooks, changed one at a time: a claim has to notice.

``make mutants`` finds them in the code (`finding`), runs a notebook for each (`runner`), and lists
those that nothing noticed. ``reasons.toml`` names the decisions that rightly change nothing.
"""
