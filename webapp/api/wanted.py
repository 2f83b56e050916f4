"""What is wanted: asking, voting, watching, taking back; labels that people propose, and operators' answers."""

from deep_images_hub.catalogue import demands, label_proposals, watches
from deep_images_hub.catalogue.labels import label_by_code, label_by_words
from deep_images_hub.wire import wanted as wire
from deep_images_hub.wire.base import PageAsked
from webapp.access import current_user, may, public, requires, signed_in, signed_in_user, signed_in_with
from webapp.api.cursors import following, place_of
from webapp.api.operations import api
from webapp.model_demand import ask_for_lacking, ask_for_needs
from webapp.services import hub
from webapp.wanted import around, place_id_of

_ASK = "report"


@api.get("/demands", tag="Demand", query=wire.DemandsAsked, answer=wire.DemandPage)
@public
def list_demands(query: wire.DemandsAsked) -> wire.DemandPage:
    """List what is wanted."""
    near = around(query.near, query.km) if query.near else None
    place, user = place_of(query.cursor), current_user()
    with hub().engine.connect() as connection:
        found = demands.wanted(
            connection,
            order=query.order,
            place_ids=list(near.distances_km) if near else None,
            label_id=label_by_code(connection, query.label).id if query.label else None,
            user_id=user.id if user else None,
            after=(place[0], place[1]) if place else None,
            limit=query.limit + 1,
        )
    shown = found[: query.limit]
    distances = near.distances_km if near else {}
    return wire.DemandPage(
        demands=[wire.Demand.model_validate({**vars(one), "distance_km": distances.get(one.place_id or 0)}) for one in shown],
        next=following(list(shown[-1].cursor)) if len(found) > query.limit else None,
    )


@api.post("/demands", tag="Demand", body=wire.AskAsked, answer=wire.AskedFor, statuses=(201, 200))
@signed_in_with(_ASK)
def ask_for_pictures(body: wire.AskAsked) -> tuple[wire.AskedFor, int]:
    """Ask for pictures of a label.

    Where others ask for as many or more, theirs gets a vote instead. Whoever asks is told by e-mail when they are there.
    """
    place_id = place_id_of(body.place or "")
    with hub().engine.begin() as connection:
        asked = demands.ask_for(
            connection,
            label_id=label_by_words(connection, body.label).id,
            user_id=signed_in_user().id,
            target_images=body.target_images,
            note=body.note,
            place_id=place_id,
        )
    return wire.AskedFor(id=asked.demand_id, outcome=asked.outcome), 201 if asked.outcome == "new" else 200


@api.get("/demands/mine", tag="Demand", query=PageAsked, answer=wire.OwnDemandPage)
@signed_in
def list_own_demands(query: PageAsked) -> wire.OwnDemandPage:
    """List what one asked for, open or not, newest first."""
    with hub().engine.connect() as connection:
        found = demands.demands_of_user(
            connection, user_id=signed_in_user().id, before_id=place_of(query.cursor), limit=query.limit + 1
        )
    shown = found[: query.limit]
    return wire.OwnDemandPage(
        demands=[wire.OwnDemand.model_validate(one) for one in shown],
        next=following(shown[-1].id) if len(found) > query.limit else None,
    )


@api.post("/demands/<int:demand_id>/vote", tag="Demand", answer=wire.Changed)
@signed_in_with(_ASK)
def vote_for_demand(demand_id: int) -> wire.Changed:
    """Say that one wants it too."""
    with hub().engine.begin() as connection:
        is_new = demands.vote(connection, demand_id=demand_id, user_id=signed_in_user().id)
    return wire.Changed(id=demand_id, outcome="voted" if is_new else "unchanged")


@api.post("/demands/<int:demand_id>/take-vote-back", tag="Demand", answer=wire.Changed)
@signed_in_with(_ASK)
def take_vote_back(demand_id: int) -> wire.Changed:
    """Say that one does not want it after all."""
    with hub().engine.begin() as connection:
        was_there = demands.take_vote_back(connection, demand_id=demand_id, user_id=signed_in_user().id)
    return wire.Changed(id=demand_id, outcome="taken back" if was_there else "unchanged")


@api.post("/demands/<int:demand_id>/withdraw", tag="Demand", answer=wire.Changed)
@signed_in_with(_ASK)
def withdraw_demand(demand_id: int) -> wire.Changed:
    """Take back what one asked for; an operator anybody's. Where others voted for it, it passes to the first of them."""
    with hub().engine.begin() as connection:
        outcome = demands.withdraw(connection, demand_id=demand_id, user_id=signed_in_user().id, is_operator=may("operate"))
    return wire.Changed(id=demand_id, outcome=outcome)


@api.post("/labels/<int:label_id>/watch", tag="Demand", answer=wire.Watching)
@signed_in_with(_ASK)
def watch_label(label_id: int) -> wire.Watching:
    """Be told by e-mail when what is wanted of a label is there."""
    with hub().engine.begin() as connection:
        watches.watch(connection, label_id=label_id, user_id=signed_in_user().id)
    return wire.Watching(label_id=label_id, is_watched=True)


@api.post("/labels/<int:label_id>/stop-watching", tag="Demand", answer=wire.Watching)
@signed_in_with(_ASK)
def stop_watching_label(label_id: int) -> wire.Watching:
    """Be told no more of a label."""
    with hub().engine.begin() as connection:
        watches.stop_watching(connection, label_id=label_id, user_id=signed_in_user().id)
    return wire.Watching(label_id=label_id, is_watched=False)


@api.get("/labels/watched", tag="Demand", answer=wire.WatchedLabels)
@signed_in
def list_watched_labels() -> wire.WatchedLabels:
    """List the labels that one is told of, by name."""
    with hub().engine.connect() as connection:
        found = watches.watched_labels(connection, user_id=signed_in_user().id)
    return wire.WatchedLabels(labels=[wire.WatchedLabel(id=label_id, name=name) for label_id, name in found])


@api.post("/models/<int:model_id>/demands", tag="Demand", body=wire.NeedsAsked, answer=wire.AskedForAll)
@signed_in_with(_ASK)
def ask_for_needs_of_model(model_id: int, body: wire.NeedsAsked) -> wire.AskedForAll:
    """Ask for the pictures that a model's labels need to come to a goal, as its report says."""
    return wire.AskedForAll.model_validate(ask_for_needs(model_id, goal=body.goal, code=body.label))


@api.post("/versions/<int:version_id>/demands", tag="Demand", answer=wire.AskedForAll)
@signed_in_with(_ASK)
def ask_for_lacking_of_version(version_id: int) -> wire.AskedForAll:
    """Ask for enough pictures of each label of which a version has too few to learn from."""
    return wire.AskedForAll.model_validate(ask_for_lacking(version_id))


@api.get("/label-proposals/mine", tag="Demand", query=PageAsked, answer=wire.ProposalPage)
@signed_in
def list_own_proposals(query: PageAsked) -> wire.ProposalPage:
    """List the labels that one proposed, newest first, with what became of each."""
    with hub().engine.connect() as connection:
        found = label_proposals.proposals_of_user(
            connection, user_id=signed_in_user().id, before_id=place_of(query.cursor), limit=query.limit + 1
        )
    shown = found[: query.limit]
    return wire.ProposalPage(
        proposals=[wire.Proposal.model_validate(one) for one in shown],
        next=following(shown[-1].id) if len(found) > query.limit else None,
    )


@api.post("/label-proposals", tag="Demand", body=wire.ProposeAsked, answer=wire.Proposed, statuses=(201, 200))
@signed_in_with(_ASK)
def propose_label(body: wire.ProposeAsked) -> tuple[wire.Proposed, int]:
    """Propose a label that is missing. An operator decides, and whoever proposed it is told by e-mail."""
    with hub().engine.begin() as connection:
        is_new = label_proposals.propose_label(
            connection,
            user_id=signed_in_user().id,
            name=body.name,
            parent_id=label_by_words(connection, body.parent).id if body.parent else None,
            note=body.note,
            target_images=body.target_images,
        )
    return wire.Proposed(is_new=is_new), 201 if is_new else 200


@api.get("/label-proposals", tag="Demand", query=PageAsked, answer=wire.ProposalPage)
@requires("operate")
def list_label_proposals(query: PageAsked) -> wire.ProposalPage:
    """List the proposed labels that wait for an operator, oldest first."""
    with hub().engine.connect() as connection:
        found = label_proposals.waiting_proposals(connection, after_id=place_of(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    return wire.ProposalPage(
        proposals=[wire.Proposal.model_validate(one) for one in shown],
        next=following(shown[-1].id) if len(found) > query.limit else None,
    )


@api.post("/label-proposals/<int:proposal_id>/accept", tag="Demand", body=wire.AcceptProposalAsked, answer=wire.Answered)
@requires("operate")
def accept_label_proposal(proposal_id: int, body: wire.AcceptProposalAsked) -> wire.Answered:
    """Add a proposed label under a parent."""
    with hub().engine.begin() as connection:
        parent = label_by_words(connection, body.parent)
        label = label_proposals.accept_proposal(
            connection, proposal_id=proposal_id, user_id=signed_in_user().id, name=body.name, parent=parent
        )
    return wire.Answered(id=proposal_id, status="accepted", label_id=label.id)


@api.post("/label-proposals/<int:proposal_id>/merge", tag="Demand", body=wire.MergeProposalAsked, answer=wire.Answered)
@requires("operate")
def merge_label_proposal(proposal_id: int, body: wire.MergeProposalAsked) -> wire.Answered:
    """Say which label it is that is here already. That is found by the proposed name too from then on."""
    with hub().engine.begin() as connection:
        label = label_by_words(connection, body.label)
        label_proposals.merge_proposal(connection, proposal_id=proposal_id, user_id=signed_in_user().id, label=label)
    return wire.Answered(id=proposal_id, status="merged", label_id=label.id)


@api.post("/label-proposals/<int:proposal_id>/refuse", tag="Demand", body=wire.RefuseProposalAsked, answer=wire.Answered)
@requires("operate")
def refuse_label_proposal(proposal_id: int, body: wire.RefuseProposalAsked) -> wire.Answered:
    """Refuse a proposed label, with a reason."""
    with hub().engine.begin() as connection:
        label_proposals.refuse_proposal(connection, proposal_id=proposal_id, user_id=signed_in_user().id, reason=body.reason)
    return wire.Answered(id=proposal_id, status="refused", label_id=None)
