"""The commands behind scripts/: one module each, started as `python -m deep_images_hub.cli.<name>`."""
