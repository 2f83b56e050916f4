"""Tagging files with a model's labels: which files there are, and the file that says what they show."""
