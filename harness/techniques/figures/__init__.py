"""What reports show of each technique: figures made of outputs, golden outputs and facts.

No threshold is known here: they come in when a page is made (`harness.figures.Region`).
"""
