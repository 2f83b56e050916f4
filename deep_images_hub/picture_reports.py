"""Reports of pictures that should not be in the hub: the closed sets of reasons and outcomes, and how they are said. Pure."""

REPORT_REASONS = ("people", "rights", "offensive", "wrong_label", "other")
REPORT_OUTCOMES = ("kept", "taken_down")
MAX_NOTE_LENGTH = 1_000

# What somebody says who reports a picture.
REPORT_WORDS = {
    "people": "It shows people or private things",
    "rights": "It is somebody else's, and not theirs to give",
    "offensive": "It is not fit to be shown",
    "wrong_label": "It shows something else than its label says",
    "other": "Something else",
}
