"""Where the bytes lie: a folder or S3, behind one small interface. `open_store` picks by URL."""

from deep_images_hub.object_store.interface import ObjectStat, ObjectStore, SubFolder, UnusableName

__all__ = ["ObjectStat", "ObjectStore", "SubFolder", "UnusableName"]
