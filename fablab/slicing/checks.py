"""What is worth telling about a part, in words: pure decisions on what was measured."""

from __future__ import annotations

from fablab.slicing import orientation
from fablab.slicing.changes import Change
from fablab.slicing.findings import Action, Finding, Kind, Severity
from fablab.slicing.orientation import Lying, Pose
from fablab.words import say

TINY_MM, MINUTE_MM, HUGE_MM = 4.0, 0.2, 1000.0
"""Of 2137 real files 23 measure less than 4 mm (inches or metres, mostly) and 13 more than 1 m."""
INCH_MM, METRE_MM = 25.4, 1000.0
LINE_MM = 0.45
"""Width of the line that the 0.4 mm nozzle draws in our print profiles."""
THIN_SHARE = 0.02
OVERLAP_SHARE = 0.01
HANGING_MM2 = 80.0

Size = tuple[float, float, float]


def likely_scale(largest_mm: float) -> float:
    """Return the factor from the unit a part of this size was probably drawn in to millimetres."""
    if largest_mm < MINUTE_MM:
        return METRE_MM
    if largest_mm < TINY_MM:
        return INCH_MM
    return 1 / INCH_MM if largest_mm > HUGE_MM else 1.0


def unit(size_mm: Size) -> Finding | None:
    """Ask about a size nobody prints: inches or metres taken for millimetres, or the other way round."""
    largest = max(size_mm)
    scale = likely_scale(largest)
    size, then = round(largest, 2), round(largest * scale, 1)
    if scale == METRE_MM:
        sentence = say("This part is only {size} mm: was it drawn in metres?", size=size)
        label = say("Convert from metres: {size} mm", size=then)
    elif scale == INCH_MM:
        sentence = say("This part is only {size} mm: was it drawn in inches?", size=size)
        label = say("Convert from inches: {size} mm", size=then)
    elif scale != 1:
        sentence = say("This part is {size} mm long: were its millimetres taken for inches?", size=size)
        label = say("Convert to millimetres: {size} mm", size=then)
    else:
        return None
    return Finding(Kind.UNIT, Severity.WARN, sentence, Action(label, Change(scale=scale)))


def surface(holes: int | None, *, open_: bool, tried: bool) -> Finding | None:
    """Tell about an open surface: `holes` that can be covered (None: torn). `tried`: they were covered already."""
    if not open_:
        return None
    if not holes or tried:
        sentence = say(
            "The surface of this part is not closed, and it is torn in too many places to close it here: repair it in "
            "your drawing program. As it is, the price is rough and parts of it may be missing."
        )
        return Finding(Kind.OPEN, Severity.BAD, sentence, None, pictured=True)
    if holes == 1:
        sentence = say("The surface of this part is not closed: there is a hole in it. The price is rough.")
        label = say("Close the hole")
    else:
        sentence = say(
            "The surface of this part is not closed: there are {count} holes in it. The price is rough.", count=holes
        )
        label = say("Close the holes")
    return Finding(Kind.OPEN, Severity.BAD, sentence, Action(label, Change(close=True)), pictured=True)


def inside_out(*, inverted: bool) -> Finding | None:
    """Tell that a surface was turned back."""
    if not inverted:
        return None
    sentence = say("The surface of this part was turned inside out: it is turned back for printing.")
    return Finding(Kind.INVERTED, Severity.NOTE, sentence)


def bodies(count: int | None, overlap: float, *, closed: bool) -> Finding | None:
    """Tell about several bodies, and whether they overlap."""
    if overlap > OVERLAP_SHARE and count is not None and count > 1:
        sentence = say(
            "This part is made of {count} bodies that overlap: they are joined for printing. The price is rough until "
            "it has been sliced.",
            count=count,
        )
        return Finding(Kind.OVERLAP, Severity.NOTE, sentence)
    if overlap > OVERLAP_SHARE:
        sentence = say(
            "Surfaces overlap in this part: they are joined for printing. The price is rough until it has been sliced."
        )
        return Finding(Kind.OVERLAP, Severity.NOTE, sentence)
    if count is not None and count > 1 and closed:
        sentence = say(
            "There are {count} separate bodies in this file: they are printed together, as they lie.", count=count
        )
        return Finding(Kind.BODIES, Severity.NOTE, sentence)
    return None


def thin(share: float) -> Finding | None:
    """Tell about walls thinner than a line of plastic; `share` of the surface, 0..1."""
    if share < THIN_SHARE:
        return None
    sentence = say(
        "{share} of this part is thinner than the line that the nozzle draws (0.45 mm): it may be missing from "
        "the print. Make walls at least 0.8 mm thick.",
        share=f"{max(1, round(100 * share))} %",
    )
    return Finding(Kind.THIN, Severity.WARN, sentence, None, pictured=True)


def lying(now: Pose, flat_side: tuple[Lying, Lying] | None, hanging_mm2: float) -> Finding | None:
    """Tell how a part lies: a better side than now, hardly touching the plate, or with steep overhangs."""
    if flat_side is not None:
        return _flat_side(*flat_side)
    if orientation.is_tiny(now):
        sentence = say(
            "Very little of this part touches the plate: it may come off while it is printed. Supports hold it."
        )
        return Finding(Kind.CONTACT, Severity.WARN, sentence, _supports())
    if hanging_mm2 > HANGING_MM2:
        area = round(hanging_mm2 / 100, 1)
        sentence = say("{area} cm² of this part hang over steeply: without supports they sag.", area=area)
        return Finding(Kind.OVERHANG, Severity.WARN, sentence, _supports(), pictured=True)
    return None


def _flat_side(now: Lying, then: Lying) -> Finding:
    action = Action(say("Lay it on its flat side"), Change(turn=then.pose.turn))
    if orientation.is_tiny(now.pose):
        sentence = say(
            "As this part lies, very little of it touches the plate: it may come off. On its flat side it holds."
        )
    else:
        sentence = say(
            "As this part lies, there are {now} cm³ to support under it; on its flat side {then} cm³: quicker and "
            "smoother.",
            now=round(now.support_mm3 / 1000, 1),
            then=round(then.support_mm3 / 1000, 1),
        )
    return Finding(Kind.FLAT_SIDE, Severity.WARN, sentence, action, pictured=True)


def _supports() -> Action:
    return Action(say("Print with supports"), supports=True)
