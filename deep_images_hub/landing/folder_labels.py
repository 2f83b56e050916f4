"""Which label a folder stands for, by its path or its name. Pure."""

from collections import defaultdict
from collections.abc import Mapping

from deep_images_hub.labels.graph import clean_text


class FolderLabels:
    """Finds labels for folders such as `Fruit/Apple/Golden_Delicious`.

    In this order: the label whose code is the whole path (`/m/014j1m` is the folder `m/014j1m`), the one whose code is the last
    folder's name, the only one that is called like the last folder, whatever its case, `_` or `-` standing for a space.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        """Take all labels: names by code."""
        self._codes = frozenset(names)
        self._codes_by_name: defaultdict[str, list[str]] = defaultdict(list)
        for code, name in names.items():
            self._codes_by_name[name.lower()].append(code)

    def label_of(self, folder: str) -> str | None:
        """Return a label's code; None where no label, or more than one, is meant."""
        path = clean_text(folder)
        last = clean_text(folder.rpartition("/")[2])
        for code in (path, f"/{path}", last):
            if code in self._codes:
                return code
        meant = self._called(folder)
        return meant[0] if len(meant) == 1 else None

    def problem_of(self, folder: str) -> str:
        """Return why a folder stands for no label, for people."""
        meant = sorted(self._called(folder))
        if not meant:
            return "no label has this code or name"
        return f"{len(meant)} labels are called so: {', '.join(meant[:3])}"

    def _called(self, folder: str) -> list[str]:
        last = folder.rpartition("/")[2]
        names = {clean_text(name).lower() for name in (last, last.replace("_", " "), last.replace("-", " "))}
        return [code for name in names for code in self._codes_by_name.get(name, ())]
