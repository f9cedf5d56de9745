"""What is noticed about a part, the one thing that is proposed, and that it helps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as some

from fablab.slicing import checks, samples
from fablab.slicing.changes import AS_SENT, Change
from fablab.slicing.examine import Examined, examine
from fablab.slicing.findings import MOST_SHOWN, Finding, Kind, Severity, ranked
from fablab.slicing.fitting import too_big
from fablab.slicing.measure import measure_safely
from fablab.slicing.plates import fits
from fablab.slicing.profiles import machine_profiles
from fablab.slicing.report import MeshReport
from fablab.slicing.stl import write_stl
from fablab.words import say
from tests.slicing.drawn import box, obj, one_object, three_mf

Stl = Callable[..., Path]


def found(seen: Examined) -> dict[Kind, Finding]:
    return {finding.kind: finding for finding in seen.report.findings}


def after(path: Path, finding: Finding) -> Examined:
    """What becomes of a part when the button of a finding is pressed."""
    assert finding.action is not None
    assert finding.action.change is not None
    return examine(path, path.name, finding.action.change)


def tilted(triangles: np.ndarray, degrees: float = 50) -> np.ndarray:
    turn = trimesh.transformations.rotation_matrix(np.radians(degrees), [1, 0.4, 0])[:3, :3]
    return triangles @ turn.T


def table() -> np.ndarray:
    """A foot, a leg and a top that hangs over."""
    return np.concatenate(
        [box(40, 40, 3), box(12, 12, 40) + np.array([14, 14, 3]), box(40, 40, 3) + np.array([0, 0, 43])]
    )


SHAPES = {
    "table": table,
    "open": lambda: box()[2:],
    "two": lambda: np.concatenate([box(), box() + 30]),
    "pot": samples.pot,
}


@settings(max_examples=12, deadline=None)
@given(
    name=some.sampled_from(sorted(SHAPES)),
    degrees=some.integers(0, 3).map(lambda quarter: 90 * quarter),
    away=some.tuples(*[some.floats(-500, 500)] * 3),
    seed=some.integers(0, 99),
)
def test_where_a_part_stands_and_in_what_order_it_is_written_changes_nothing(
    name: str, degrees: int, away: tuple[float, float, float], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("shapes") / "part.stl"
    drawn = np.asarray(SHAPES[name]())
    turn = trimesh.transformations.rotation_matrix(np.radians(degrees), [0, 0, 1])[:3, :3]
    moved = np.random.default_rng(seed).permutation(drawn @ turn.T + np.array(away))
    here, there = (found(examine(write_stl(path, each), "part.stl")) for each in (drawn, moved))
    assert list(here) == list(there)
    assert [finding.action is None for finding in here.values()] == [each.action is None for each in there.values()]


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_nothing_is_noticed_about_a_healthy_part(name: str, stl: Stl) -> None:
    assert examine(stl(samples.SAMPLES[name]()), "part.stl").report.findings == []


def test_a_missing_face_is_closed_on_consent(stl: Stl) -> None:
    path = stl(box()[2:])
    finding = found(examine(path, "part.stl"))[Kind.OPEN]
    assert finding.severity == Severity.BAD
    closed = after(path, finding)
    assert closed.report.findings == []
    assert closed.report.watertight
    assert closed.report.volume_mm3 == pytest.approx(8000)
    assert str(closed.done[0]) == "1 hole closed with 4.0 cm² of new surface."


def test_several_holes_are_counted_and_closed_together(stl: Stl) -> None:
    cubes = np.concatenate([box()[2:], box()[2:] + 40])
    path = stl(cubes)
    finding = found(examine(path, "part.stl"))[Kind.OPEN]
    assert "2 holes" in str(finding.sentence)
    assert after(path, finding).report.watertight


def test_a_torn_surface_gets_advice_and_no_button(stl: Stl) -> None:
    torn = np.random.default_rng(5).random((17_000, 3, 3)) * 2 + box()[np.arange(17_000) % 12, :1]
    finding = found(examine(stl(torn), "part.stl"))[Kind.OPEN]
    assert finding.action is None
    assert "torn" in str(finding.sentence)


def test_what_closing_cannot_mend_gets_advice() -> None:
    finding = checks.surface(3, open_=True, tried=True)
    assert finding is not None
    assert finding.action is None
    assert "repair" in str(finding.sentence)


def test_an_inverted_part_is_turned_back_and_told(stl: Stl) -> None:
    seen = examine(stl(box()[:, ::-1]), "part.stl")
    assert list(found(seen)) == [Kind.INVERTED]
    assert seen.report.volume_mm3 == pytest.approx(8000)


def test_an_inverted_part_with_a_hole_never_has_a_negative_volume(stl: Stl) -> None:
    path = stl(box()[2:, ::-1])
    closed = after(path, found(examine(path, "part.stl"))[Kind.OPEN])
    assert closed.report.watertight
    assert closed.report.volume_mm3 == pytest.approx(8000)


@pytest.mark.parametrize(
    ("drawn_in_mm", "unit", "scale"),
    [(25.4, "inches", 25.4), (1000.0, "metres", 1000.0), (1 / 25.4, "inches", 1 / 25.4)],
)
def test_a_wrong_unit_is_guessed_and_converted(drawn_in_mm: float, unit: str, scale: float, stl: Stl) -> None:
    path = stl(box(60, 40, 20) / drawn_in_mm)
    seen = examine(path, "part.stl")
    (finding,) = seen.report.findings
    assert finding.kind == Kind.UNIT
    assert unit in str(finding.sentence)
    mended = after(path, finding)
    assert mended.report.size_mm == pytest.approx((60, 40, 20), rel=1e-5)
    assert ("Scaled × " if scale > 1 else "Scaled to 1 / 25.4") in str(mended.done[0])
    assert mended.report.findings == []


def test_a_small_part_of_the_right_unit_is_left_alone(stl: Stl) -> None:
    assert examine(stl(box(5, 5, 2)), "part.stl").report.findings == []


def test_bodies_are_counted_and_cavities_are_not(stl: Stl) -> None:
    apart = examine(stl(np.concatenate([box(), box() + 30])), "part.stl")
    assert "2 separate bodies" in str(found(apart)[Kind.BODIES].sentence)
    hollow = examine(stl(np.concatenate([box(), box(6, 6, 6)[:, ::-1] + 5])), "part.stl")
    assert (hollow.report.bodies, hollow.report.findings) == (1, [])


def test_overlapping_bodies_are_told(stl: Stl) -> None:
    seen = examine(stl(np.concatenate([box(), box() + np.array([10, 3, 0])])), "part.stl")
    assert "2 bodies that overlap" in str(found(seen)[Kind.OVERLAP].sentence)


@pytest.mark.parametrize(("thickness", "is_thin"), [(0.2, True), (0.4, True), (0.5, False), (1.0, False)])
@pytest.mark.parametrize("degrees", [0, 35])
def test_a_wall_thinner_than_a_line_is_noticed_however_it_stands(
    thickness: float, is_thin: bool, degrees: float, stl: Stl
) -> None:
    fin = tilted(box(40, thickness, 30), degrees) + np.array([0, 0, 10])
    seen = examine(stl(np.concatenate([fin, box(60, 60, 5) - np.array([80, 0, 0])])), "part.stl")
    assert (seen.look.walls.thinner_than(checks.LINE_MM) > 0.1) == is_thin
    assert (Kind.THIN in found(seen)) == is_thin


def test_a_wedge_is_not_a_thin_wall(stl: Stl) -> None:
    wedge = trimesh.creation.cone(radius=20, height=20)
    assert Kind.THIN not in found(examine(stl(wedge), "part.stl"))


def test_steep_overhangs_ask_for_supports(stl: Stl) -> None:
    finding = checks.lying(examine(stl(table()), "part.stl").look.poses[0], None, 2000)
    assert finding is not None
    assert finding.action is not None
    assert finding.action.supports


def test_holes_for_screws_ask_for_nothing(stl: Stl) -> None:
    plate = trimesh.creation.annulus(r_min=3, r_max=15, height=20)
    plate.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, [1, 0, 0]))
    look = examine(stl(plate), "part.stl").look
    inside = np.hypot(*(look.triangles.mean(axis=1)[:, [0, 2]] - 15).T) < 5
    assert not inside[look.hanging[0]].any()


def test_a_part_on_its_edge_is_laid_on_its_flat_side(stl: Stl) -> None:
    path = stl(tilted(samples.bracket()))
    finding = found(examine(path, "part.stl"))[Kind.FLAT_SIDE]
    laid = after(path, finding)
    assert Kind.FLAT_SIDE not in found(laid)
    assert sorted(laid.report.size_mm) == pytest.approx([20, 40, 40], abs=0.01)
    assert laid.report.volume_mm3 == pytest.approx(examine(path, "part.stl").report.volume_mm3)


def test_a_grille_is_left_as_it_lies(stl: Stl) -> None:
    """Its bars hang over nothing but the plate: what normals call overhang needs no support."""
    bars = [box(80, 4, 4) + np.array([0, 8 * n, 0]) for n in range(8)]
    across = [box(4, 60, 4) + np.array([10 * n, 0, 4]) for n in range(8)]
    assert Kind.FLAT_SIDE not in found(examine(stl(np.concatenate([*bars, *across])), "part.stl"))


def test_a_body_on_a_body_needs_no_supports(stl: Stl) -> None:
    seen = examine(stl(np.concatenate([box(40, 40, 10), box(30, 30, 10) + np.array([5, 5, 10])])), "part.stl")
    assert Kind.OVERHANG not in found(seen)


def test_room_for_supports_is_what_is_under_overhangs(stl: Stl) -> None:
    look = examine(stl(table()), "part.stl").look
    assert look.underneath.room_mm3 == pytest.approx((40 * 40 - 12 * 12) * 40, rel=0.05)
    assert look.hanging_mm2 == pytest.approx(40 * 40 - 12 * 12, rel=0.05)


def test_a_ball_hardly_touches_the_plate(stl: Stl) -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=15)
    finding = found(examine(stl(ball), "part.stl"))[Kind.CONTACT]
    assert finding.action is not None
    assert finding.action.supports


@pytest.fixture
def machines() -> list:
    return list(machine_profiles().values())


def test_a_part_too_tall_is_laid_on_a_side_where_it_fits(stl: Stl, machines: list) -> None:
    path = stl(box(60, 30, 265))
    seen = examine(path, "part.stl")
    finding = too_big(seen.report, [each for each in machines if each.bed_mm[2] < 265])
    assert finding is not None
    assert "another side" in str(finding.sentence) or "%" in str(finding.sentence)
    mended = after(path, finding)
    assert any(fits(mended.report.size_mm, machine) for machine in machines)


def test_a_part_too_long_is_scaled_until_it_fits(stl: Stl, machines: list) -> None:
    path = stl(box(500, 40, 30))
    finding = too_big(examine(path, "part.stl").report, machines)
    assert finding is not None
    mended = after(path, finding)
    assert any(fits(mended.report.size_mm, machine) for machine in machines)
    assert too_big(mended.report, machines) is None


def test_a_part_that_fits_or_a_place_without_printers_says_nothing(stl: Stl, machines: list) -> None:
    report = examine(stl(box()), "part.stl").report
    assert too_big(report, machines) is None
    assert too_big(report, []) is None


def test_no_wall_of_warnings_is_built() -> None:
    many = [Finding(kind, Severity.NOTE, say("Something.")) for kind in reversed(Kind)]
    assert [each.kind for each in ranked(many)] == list(Kind)[:MOST_SHOWN]


def test_a_report_with_findings_survives_json(stl: Stl) -> None:
    for triangles in (tilted(samples.bracket()), box()[2:], table(), box() / 25.4):
        report = examine(stl(triangles), "part.stl").report
        assert report.findings
        assert MeshReport.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_a_report_from_before_there_were_findings_is_read() -> None:
    old = {"triangles": 12, "size_mm": [1, 2, 3], "volume_mm3": 6.0, "area_mm2": 22.0, "watertight": True,
           "inverted": False, "trusted": True, "warnings": [say("Look at {this}.", this=3).to_json()]}  # fmt: skip
    report = MeshReport.from_json(old)
    assert [str(each) for each in report.warnings] == ["Look at 3."]
    assert report.findings[0].action is None


def test_two_changes_are_one(stl: Stl, tmp_path: Path) -> None:
    path = stl(tilted(samples.bracket()) / 25.4)
    first = Change(scale=25.4)
    turn = found(examine(path, "part.stl", first))[Kind.FLAT_SIDE].action.change
    both = Change.from_json(json.loads(json.dumps(first.then(turn).to_json())))
    at_once = examine(path, "part.stl", both)
    step = write_stl(tmp_path / "step.stl", examine(path, "part.stl", first).part)
    assert at_once.report.size_mm == pytest.approx(examine(step, "part.stl", turn).report.size_mm, abs=1e-3)
    assert len(at_once.done) == 2


def test_only_a_binary_stl_is_printed_as_it_is(stl: Stl, tmp_path: Path) -> None:
    assert examine(stl(box()), "part.stl").part is None
    assert examine(stl(box()), "part.stl", Change(scale=2)).part is not None
    for name, content in {
        "a.3mf": three_mf(one_object(box(), "centimeter")),
        "a.obj": obj(box() * 10),
        "a.stl": trimesh.exchange.stl.export_stl_ascii(trimesh.creation.box((200, 200, 200))).encode(),
    }.items():
        (tmp_path / name).write_bytes(content)
        made = examine(tmp_path / name, name, AS_SENT)
        assert np.ptp(made.part, axis=(0, 1)) == pytest.approx([200, 200, 200])


def test_the_locked_child_gives_the_same_report(stl: Stl, tmp_path: Path) -> None:
    path = stl(table())
    assert measure_safely(path, "part.stl", tmp_path / "f.npz") == examine(path, "part.stl").report
