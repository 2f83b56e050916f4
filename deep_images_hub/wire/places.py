"""Places: the cities that the hub knows by itself."""

from pydantic import Field

from deep_images_hub.wire.base import Answer


class City(Answer):
    """A city, as coarse as the hub keeps places."""

    name: str = Field(description="What an upload or a demand can be told: `Toronto, Ontario, CA`.")
    latitude: float
    longitude: float


class Cities(Answer):
    """The cities that the hub knows by itself, the largest first."""

    places: list[City]
