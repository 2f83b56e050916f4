"""The bench of the portal: what its made-up catalogue holds hangs together, and can be asked for."""

from sqlalchemy import text

from deep_images_hub.benches.portal import page_addresses
from deep_images_hub.catalogue.label_counts import recount
from deep_images_hub.catalogue.overview import hub_totals
from deep_images_hub.measuring.made_up_catalogue import fill
from webapp import create_app


def test_bench_asks_for_pages_that_are_there(hub_of) -> None:
    with hub_of() as hub:
        fill(hub.engine, images=600)
        with hub.engine.begin() as connection:
            assert hub_totals(connection).images == 600
            assert recount(connection) == []
            assert connection.scalar(text("select count(*) from shown_images where is_reviewed")) == 6
        client = create_app(hub=hub).test_client()
        for route, addresses in page_addresses(hub.engine).items():
            for address in addresses[:2]:
                answer = client.get(address)
                assert answer.status_code == 200, (route, address)
                assert "/images/" in answer.text or route not in ("gallery", "everything", "picture")
