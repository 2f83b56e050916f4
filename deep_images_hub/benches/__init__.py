"""What scripts/bench measures, one module a bench: the hub beside what people would use instead, in one run, as ratios.

A bench is a module with a docstring whose first line says what it measures, and

    def add_arguments(parser: ArgumentParser) -> None        its options, beside --quick
    def measure(settings: Settings, given: Namespace) -> dict[str, object]

`measure` prints a table for people and returns what scripts/bench prints as its last line, as JSON. It keeps what it needs under
`settings.home / "bench"`; with `given.quick` it ends within a minute.
"""
