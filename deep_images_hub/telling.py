"""Tell people what became of what they asked for: close the demands that are met, and send the e-mails that wait."""

from sqlalchemy import Engine

from deep_images_hub.catalogue.demands import settle_demands
from deep_images_hub.catalogue.notices import end_notice, take_notice
from deep_images_hub.demand.messages import notice_message
from deep_images_hub.errors import HubError, InvalidInputError, UnavailableError
from deep_images_hub.mail import CutOffError, Post
from deep_images_hub.settings import Settings


def settle(engine: Engine) -> int:
    """Close the demands that are met, and return how many there were."""
    with engine.begin() as connection:
        return settle_demands(connection)


def send_next_notice(engine: Engine, post: Post, settings: Settings) -> bool:
    """Send the next notice that waits. Returns whether there was one; one that is refused for good counts as dealt with.

    Raises:
        UnavailableError: it could not be sent now, and waits again; or it was cut off, and does not.
    """
    with engine.begin() as connection:
        notice = take_notice(connection)
    if notice is None:
        return False
    status = "sent"
    problem: HubError | None = None
    try:
        message = notice_message(notice, sender=settings.mail_from, portal_url=settings.portal_url)
        post.send(message, name=f"notice-{notice.notice_id}")
    except InvalidInputError as error:
        status, problem = "refused", error
    except CutOffError as error:
        status, problem = "sending", error
    except UnavailableError as error:
        status, problem = "waiting", error
    with engine.begin() as connection:
        end_notice(connection, notice_id=notice.notice_id, status=status, error=None if problem is None else str(problem))
    if isinstance(problem, UnavailableError):
        raise problem
    return True
