"""Examine one part: read it, change it as its owner agreed to, measure it, and judge what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fablab.slicing import changes, checks
from fablab.slicing.bodies import count_bodies
from fablab.slicing.changes import AS_SENT, UNTURNED, Change
from fablab.slicing.features import Features
from fablab.slicing.findings import Finding, ranked
from fablab.slicing.geometry import standing
from fablab.slicing.look import Look
from fablab.slicing.mesh import Triangles
from fablab.slicing.reading import is_binary_stl, read_triangles
from fablab.slicing.report import MeshReport
from fablab.words import Sentence, say

MOST_POSES = 10


@dataclass(frozen=True)
class Examined:
    """All about a part. `part` is what is to be printed when that is not the file itself; `done` says what changed."""

    report: MeshReport
    features: Features
    part: Triangles | None
    done: list[Sentence]
    look: Look


def examine(path: Path, file_name: str, change: Change = AS_SENT) -> Examined:
    """Examine a file in this process, with a change made to it. Raises `BadMesh`."""
    look, done = _changed(standing(read_triangles(path, file_name)), change)
    report, features = _judged(look, tried=change.close)
    as_it_is = change == AS_SENT and is_binary_stl(path, file_name)
    return Examined(report, features, None if as_it_is else look.triangles, done, look)


def _changed(triangles: Triangles, change: Change) -> tuple[Look, list[Sentence]]:
    """Return the part with the change made to it, and sentences about what that did."""
    look = Look.at(triangles if change.scale == 1 and change.turn == UNTURNED else _moved(triangles, change))
    done = []
    if change.scale != 1:
        done.append(_scaled(change.scale, look))
    if change.turn != UNTURNED:
        done.append(say("Turned: it lies on another side."))
    if change.close and look.rims:
        closed = Look.at(np.concatenate([look.triangles, changes.covers(look.rims)]))
        done.append(_closed(len(look.rims), look, closed))
        look = closed
    return look, done


def _moved(triangles: Triangles, change: Change) -> Triangles:
    return standing(changes.moved(triangles, change))


def _scaled(scale: float, look: Look) -> Sentence:
    x, y, z = (round(side, 1) for side in look.size_mm)
    if scale > 1:
        return say("Scaled × {factor}: now {x} × {y} × {z} mm.", factor=round(scale, 2), x=x, y=y, z=z)
    share = f"{100 * scale:.0f} %" if scale > 0.1 else f"1 / {1 / scale:.4g}"
    return say("Scaled to {share}: now {x} × {y} × {z} mm.", share=share, x=x, y=y, z=z)


def _closed(count: int, before: Look, after: Look) -> Sentence:
    area = float(after.areas.sum() - before.areas.sum()) / 100
    if count == 1:
        return say("1 hole closed with {area} cm² of new surface.", area=round(area, 2))
    return say("{count} holes closed with {area} cm² of new surface.", count=count, area=round(area, 2))


def _judged(look: Look, *, tried: bool) -> tuple[MeshReport, Features]:
    from fablab.slicing.anatomy import features_of  # scipy: only where it is needed

    closed, area = look.open_share == 0, float(look.areas.sum())
    bodies = count_bodies(look.triangles)
    features = features_of(look.triangles, look.volume_mm3, area, closed)
    trusted = bool(features.trusted)
    report = MeshReport(
        triangles=len(look.triangles),
        size_mm=look.size_mm,
        volume_mm3=look.volume_mm3,
        area_mm2=area,
        watertight=closed,
        inverted=look.inverted,
        trusted=trusted,
        findings=findings_of(look, bodies, tried=tried),
        bodies=bodies,
        poses=look.poses[:MOST_POSES],
    )
    return report, features


def findings_of(look: Look, bodies: int | None, *, tried: bool) -> list[Finding]:
    """Return what is worth telling about a part; `tried` says that its holes were closed already."""
    walls = look.walls
    holes = None if look.rims is None else len(look.rims) if look.open_share else 0
    surface = checks.surface(holes, open_=look.open_share > 0, tried=tried)
    unit = checks.unit(look.size_mm)
    if unit is not None:  # whatever depends on millimetres can be judged when the unit is right
        return ranked([each for each in (surface, unit) if each is not None])
    found = [
        surface,
        checks.lying(look.poses[0], look.flat_side, look.hanging_mm2) if look.open_share == 0 else None,
        checks.thin(walls.thinner_than(checks.LINE_MM)) if walls else None,
        checks.bodies(bodies, walls.overlap if walls else 0.0, closed=look.open_share == 0),
        checks.inside_out(inverted=look.inverted and look.rims is not None),
    ]
    return ranked([each for each in found if each is not None])
