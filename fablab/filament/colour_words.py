"""A word for a colour that comes without one. Pure."""

from __future__ import annotations

from fablab.words import N_

PALETTE: dict[str, tuple[int, int, int]] = {
    N_("white"): (245, 245, 240),
    N_("black"): (25, 25, 28),
    N_("grey"): (135, 138, 142),
    N_("red"): (205, 35, 40),
    N_("orange"): (240, 120, 30),
    N_("yellow"): (245, 210, 50),
    N_("green"): (45, 155, 85),
    N_("blue"): (40, 100, 200),
    N_("purple"): (120, 60, 160),
    N_("pink"): (230, 120, 170),
    N_("brown"): (110, 70, 40),
    N_("natural"): (232, 226, 208),
}


def nearest(colour_hex: str) -> str:
    """Return the word whose colour is nearest to one like #1e88e5."""
    wanted = tuple(int(colour_hex[start : start + 2], 16) for start in (1, 3, 5))
    return min(PALETTE, key=lambda word: sum((a - b) ** 2 for a, b in zip(wanted, PALETTE[word], strict=True)))
