"""What is wanted: asking for pictures, voting, watching, proposing labels."""

from collections.abc import Iterator

from deep_images_hub.client.asking import Asking
from deep_images_hub.wire.wanted import (
    AskedFor,
    AskedForAll,
    Changed,
    Demand,
    DemandPage,
    OwnDemand,
    OwnDemandPage,
    Proposal,
    ProposalPage,
    Proposed,
    WatchedLabel,
    WatchedLabels,
    Watching,
)


class DemandCalls(Asking):
    """What the client asks of demand. Labels are named by code or name."""

    def demands(
        self, *, label: str | None = None, order: str | None = None, near: str | None = None, km: int | None = None
    ) -> Iterator[Demand]:
        """Yield what is wanted.

        Args:
            order: `votes`, `missing` or `newest`.
            near: a city or a postcode, from around which it is wanted; km: how far.
        """
        for page in self._pages(DemandPage, "/demands", label=label, order=order, near=near, km=km):
            yield from page.demands

    def own_demands(self) -> Iterator[OwnDemand]:
        """Yield what one asked for, newest first."""
        for page in self._pages(OwnDemandPage, "/demands/mine"):
            yield from page.demands

    def ask_for(self, label: str, target_images: int, *, note: str = "", place: str | None = None) -> AskedFor:
        """Ask that there be so many pictures of a label, of everywhere or from around a place."""
        return self._post(AskedFor, "/demands", {"label": label, "target_images": target_images, "note": note, "place": place})

    def ask_for_needs(self, model_id: int, goal: float, *, label: str | None = None) -> AskedForAll:
        """Ask for what a model's labels, or one of them, need to come to a goal that its report names."""
        return self._post(AskedForAll, f"/models/{model_id}/demands", {"goal": goal, "label": label})

    def ask_for_lacking(self, version_id: int) -> AskedForAll:
        """Ask for enough pictures of each label of which a version has too few to learn from."""
        return self._post(AskedForAll, f"/versions/{version_id}/demands")

    def vote(self, demand_id: int) -> Changed:
        """Say that one wants it too."""
        return self._post(Changed, f"/demands/{demand_id}/vote")

    def take_vote_back(self, demand_id: int) -> Changed:
        """Say that one does not want it after all."""
        return self._post(Changed, f"/demands/{demand_id}/take-vote-back")

    def withdraw_demand(self, demand_id: int) -> Changed:
        """Take back what one asked for; an operator anybody's."""
        return self._post(Changed, f"/demands/{demand_id}/withdraw")

    def watch(self, label_id: int) -> Watching:
        """Be told by e-mail when what is wanted of a label is there."""
        return self._post(Watching, f"/labels/{label_id}/watch")

    def stop_watching(self, label_id: int) -> Watching:
        """Be told no more of a label."""
        return self._post(Watching, f"/labels/{label_id}/stop-watching")

    def watched_labels(self) -> list[WatchedLabel]:
        """Return the labels that one is told of, by name."""
        return self._get(WatchedLabels, "/labels/watched").labels

    def propose_label(self, name: str, *, parent: str | None = None, target_images: int | None = None, note: str = "") -> bool:
        """Propose a label that is missing. False: one proposed it before, and nobody has decided on it."""
        asked = {"name": name, "parent": parent, "target_images": target_images, "note": note}
        return self._post(Proposed, "/label-proposals", asked).is_new

    def own_proposals(self) -> Iterator[Proposal]:
        """Yield the labels that one proposed, newest first, with what became of each."""
        for page in self._pages(ProposalPage, "/label-proposals/mine"):
            yield from page.proposals
