"""Exports: a dataset version, or a part of it, as files that the next tool reads.

    parts     which part: a split, a label, the first so many pictures
    export    the version and its part, with the pictures in the orders that formats need
    files     files that are made while they are sent: of chunks, with a length that is known, from any byte on
    formats   all formats by name; each is a module here with a class like those beside it: `files(export)` is all it needs

To add a format: write its module, name it in `formats`, and load what it makes in a test with the library it is for.
"""
