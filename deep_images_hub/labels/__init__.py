"""What a photograph can show: labels and how they lie under one another.

`graph` is pure; `load` takes files into the catalogue.
"""
