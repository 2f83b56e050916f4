"""Datasets: what is asked for, how it is split, the frozen answer, and its downloads.

`recipe`, `split` and `content` are pure rules; `freeze` reads and writes the catalogue; `download` joins the catalogue and the
object store with `exports`, which has the formats.
"""
