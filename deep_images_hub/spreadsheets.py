"""Text in CSV files that people open in a spreadsheet, which takes some cells for formulas and runs them.

Names of files, labels and people are other people's to choose. A cell that begins like a formula gets an apostrophe before it, in
every CSV file that the hub makes; in other formats texts are what they are.

Source: OWASP, https://owasp.org/www-community/attacks/CSV_Injection.
"""

# The wide ones are read like the others where Chinese or Japanese is set.
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless_cell(cell: object) -> object:
    """Return a cell of a CSV file as no spreadsheet takes it for a formula. Numbers are what they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_BEGINS) else cell
