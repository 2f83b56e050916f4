"""A batch: one supplier's photographs for one label, and the manifest that describes it."""
