"""For operators: pictures in review and reported ones, proposed labels, accounts, everybody's batches and runs."""

from collections.abc import Iterator

from deep_images_hub.client.asking import Asking
from deep_images_hub.wire.account import AccountChange, AccountChangePage, Person, PersonPage
from deep_images_hub.wire.batches import Batch, BatchPage, Funnel
from deep_images_hub.wire.reviews import (
    Decision,
    ReportDecision,
    ReportedPage,
    ReportedPicture,
    UndoAnswer,
    WaitingPage,
    WaitingPicture,
)
from deep_images_hub.wire.training import Run, RunPage
from deep_images_hub.wire.wanted import Answered, Proposal, ProposalPage


class OperatorCalls(Asking):
    """What the client asks in an operator's name. Labels are named by code or name."""

    def reviews(
        self, *, label: str | None = None, reason: str | None = None, batch: str | None = None
    ) -> Iterator[WaitingPicture]:
        """Yield the pictures in review, oldest first. label: the code that it was sent under; batch: a key."""
        for page in self._pages(WaitingPage, "/reviews", label=label, reason=reason, batch=batch):
            yield from page.pictures

    def accept(self, submission_id: int) -> Decision:
        """Let a picture in review in under its label."""
        return self._post(Decision, f"/reviews/{submission_id}/accept")

    def relabel(self, submission_id: int, label: str) -> Decision:
        """Let a picture in review in under another label."""
        return self._post(Decision, f"/reviews/{submission_id}/relabel", {"label": label})

    def reject(self, submission_id: int, reason: str) -> Decision:
        """Refuse a picture in review."""
        return self._post(Decision, f"/reviews/{submission_id}/reject", {"reason": reason})

    def undo(self, change_id: int) -> int:
        """Take a decision of one's own back, and return the submission that waits again."""
        return self._post(UndoAnswer, f"/decisions/{change_id}/undo").submission_id

    def reported_pictures(self) -> Iterator[ReportedPicture]:
        """Yield the pictures that people reported, those that wait longest first."""
        for page in self._pages(ReportedPage, "/reports"):
            yield from page.pictures

    def keep(self, sha256: str) -> ReportDecision:
        """Close the reports of a picture, which stays."""
        return self._post(ReportDecision, f"/reports/{sha256}/keep")

    def doubt(self, sha256: str) -> ReportDecision:
        """Close the reports of a picture, and put it into review."""
        return self._post(ReportDecision, f"/reports/{sha256}/doubt")

    def take_down(self, sha256: str) -> ReportDecision:
        """Take a reported picture down: it leaves galleries and downloads at once, and versions that had it get a patch."""
        return self._post(ReportDecision, f"/reports/{sha256}/take-down")

    def proposals(self) -> Iterator[Proposal]:
        """Yield the proposed labels that wait, oldest first."""
        for page in self._pages(ProposalPage, "/label-proposals"):
            yield from page.proposals

    def accept_proposal(self, proposal_id: int, *, name: str, parent: str) -> Answered:
        """Add a proposed label under a parent."""
        return self._post(Answered, f"/label-proposals/{proposal_id}/accept", {"name": name, "parent": parent})

    def merge_proposal(self, proposal_id: int, label: str) -> Answered:
        """Say which label it is that is here already."""
        return self._post(Answered, f"/label-proposals/{proposal_id}/merge", {"label": label})

    def refuse_proposal(self, proposal_id: int, reason: str) -> Answered:
        """Refuse a proposed label."""
        return self._post(Answered, f"/label-proposals/{proposal_id}/refuse", {"reason": reason})

    def people(self, *, beginning: str | None = None, role: str | None = None, state: str | None = None) -> Iterator[Person]:
        """Yield accounts, newest first. state: `open`, `closed`, `deleted`, or `never`: without a password yet."""
        for page in self._pages(PersonPage, "/operations/accounts", beginning=beginning, role=role, state=state):
            yield from page.people

    def person(self, user_id: int) -> Person:
        """Return an account."""
        return self._get(Person, f"/operations/accounts/{user_id}")

    def invite(self, email: str, display_name: str, role: str) -> Person:
        """Make an account for somebody, and send them a link to choose a password with."""
        return self._post(Person, "/operations/accounts", {"email": email, "display_name": display_name, "role": role})

    def grant_role(self, user_id: int, role: str) -> Person:
        """Give an account of somebody else another role."""
        return self._post(Person, f"/operations/accounts/{user_id}/role", {"role": role})

    def close_account(self, user_id: int) -> Person:
        """Close an account of somebody else."""
        return self._post(Person, f"/operations/accounts/{user_id}/close")

    def reopen_account(self, user_id: int) -> Person:
        """Open a closed account again."""
        return self._post(Person, f"/operations/accounts/{user_id}/reopen")

    def mail_link(self, user_id: int) -> Person:
        """Send an account of somebody else a link for another password."""
        return self._post(Person, f"/operations/accounts/{user_id}/link")

    def delete_account(self, user_id: int, *, keeps_credit: bool = False) -> Person:
        """Delete an account of somebody else for ever. keeps_credit: licences go on to name the person."""
        return self._post(Person, f"/operations/accounts/{user_id}/delete", {"keeps_credit": keeps_credit})

    def account_changes(self) -> Iterator[AccountChange]:
        """Yield what was done to accounts of others, newest first."""
        for page in self._pages(AccountChangePage, "/operations/account-changes"):
            yield from page.changes

    def all_batches(self, *, city: str | None = None) -> Iterator[Batch]:
        """Yield everybody's batches, newest first."""
        for page in self._pages(BatchPage, "/operations/batches", city=city):
            yield from page.batches

    def all_runs(self) -> Iterator[Run]:
        """Yield everybody's training requests, newest first."""
        for page in self._pages(RunPage, "/operations/runs"):
            yield from page.runs

    def funnel(self) -> Funnel:
        """Return what became of everything that was sent."""
        return self._get(Funnel, "/operations/funnel")
