"""Demand: who wants how many pictures of what, when that is met, and what people are told of it. Pure."""
