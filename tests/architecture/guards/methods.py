"""Attribution methods: the reference page has each, with what it needs, and no other."""

from __future__ import annotations

from guards.docs import tables
from social_provenance.gradients.methods.registry import find_methods


def misdocumented_methods(text: str) -> list[str]:
    """Find methods that the page lacks, that are not in the package, or whose need is another one."""
    rows = {
        row[0].strip("`"): row[1]
        for table in tables(text)
        if table.header[:2] == ["method", "needs"]
        for row in table.rows
    }
    needs = {name: method.needs for name, method in find_methods().items()}
    return [
        *(f"method {name} is not on the page" for name in sorted(needs.keys() - rows.keys())),
        *(f"method {name} is on the page and not in the package" for name in sorted(rows.keys() - needs.keys())),
        *(
            f"method {name} needs {needs[name]}, the page says {rows[name]}"
            for name in sorted(needs.keys() & rows.keys())
            if needs[name] != rows[name]
        ),
    ]
