"""The SQL of sql/queries by name. Each file begins with a comment that says its question, its parameters and its columns."""

from functools import cache

from sqlalchemy import TextClause, text

from deep_images_hub.resources import resource


@cache
def load_query(name: str) -> TextClause:
    """Return the statement of `sql/queries/<name>.sql`, with its `:parameters`, ready to execute.

    Raises:
        FileNotFoundError: there is no such file: a defect of the caller.
    """
    lines = resource(f"sql/queries/{name}.sql").read_text(encoding="utf-8").splitlines()
    # Comments name parameters too. They must go: the driver would fill values in there, and a line break in one would end them.
    return text("\n".join(line for line in lines if not line.lstrip().startswith("--")))
