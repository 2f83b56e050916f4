"""Photographs on their way from somebody's browser: received in parts that outlive any process, a batch once all are here."""
