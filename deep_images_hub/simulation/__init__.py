"""A crowd that does not exist: photographs that we draw ourselves, planted defects whose truth is known, and who sends them.

For demonstrations, tests and benches. Deterministic by seed; needs Pillow and numpy only.
"""
