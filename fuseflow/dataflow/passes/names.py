"""Names for nodes that a pass makes."""

from collections.abc import Collection


def fresh(stem: str, taken: Collection[str]) -> str:
    """``stem``, or ``stem_2``, ``stem_3``... if it is taken."""
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    return name
