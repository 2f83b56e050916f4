"""The newest batches, on a map and in a list."""

import re

from tests.integration.portal.conftest import PortalHub


def test_map_shows_cities_and_leads_to_their_pictures(visitor, portal: PortalHub) -> None:
    html = visitor.get("/latest").text
    assert re.search(
        r'<a href="/images\?country=DE&amp;city=M5V\+2T6"><circle [^>]+/><title>M5V 2T6, DE: 1 batch, 5 pictures</title></a>',
        html,
    )
    # 52.5 degrees north and 13.4 east, from the upper left at 80 degrees north and 180 west.
    assert re.search(r'<circle cx="193.4" cy="27.5" r="[0-9.]+"/>', html)
    assert html.count("/labels/by-code") == 6


def test_list_goes_on_and_holds_the_batches_of_a_city_alone(visitor, monkeypatch) -> None:
    monkeypatch.setattr("webapp.latest.BATCHES_PAGE", 4)
    first = visitor.get("/latest").text
    more = re.search(r'href="(/latest\?before=[^"]+)"', first)
    assert more
    rest = visitor.get(more[1]).text
    assert (first.count("/labels/by-code"), rest.count("/labels/by-code")) == (4, 2)
    assert '<svg class="map"' not in rest
    assert visitor.get("/latest?city=m5v+2t6").text.count("/labels/by-code") == 1
    assert "No batch has been sent yet from Atlantis" in visitor.get("/latest?city=Atlantis").text
    assert visitor.get("/latest?before=batch-0").status_code == 400


def test_geojson_names_places_and_nobody(visitor) -> None:
    answer = visitor.get("/latest/batches.geojson")
    assert answer.mimetype == "application/geo+json"
    (feature,) = answer.json["features"]
    assert feature["geometry"]["coordinates"] == [13.4, 52.5]
    assert "Nowak" not in answer.text
