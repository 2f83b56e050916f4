"""Photographs that lie somewhere else, and how they become batches: what suppliers say of them, what is refused, the copying."""
