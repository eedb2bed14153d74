"""Every fault by its name, and no fault where only light and weather changed."""

from collections.abc import Callable

import numpy as np
import pytest

from health.conditions import Condition
from health.judge import Fault, Health, judge, judge_alone, mildest
from health.looks import Picture, look_at, look_at_burst
from health.reference import Reference, of_picture
from health.stream import stillness
from tests.health.conftest import WHEN
from tests.health.rendering import BENIGN, blur, clipped, coded, covered, gain, grey, moved, noisy, pink, seen, street

WHENEVER = Condition.DAY
Change = Callable[[Picture], Picture]
Burst = Callable[..., list[Picture]]


@pytest.mark.parametrize("change", BENIGN.values(), ids=BENIGN)
def test_is_good_with(reference: Reference, burst: Burst, change: Change) -> None:
    judgement = judge(reference, look_at_burst(burst(change)))
    assert (judgement.verdict, judgement.faults) == (Health.OK, ())


@pytest.mark.parametrize("change", BENIGN.values(), ids=BENIGN)
def test_a_single_picture_against_a_single_picture_is_good_with(change: Change) -> None:
    view = of_picture(seen(street(), 1), condition=WHENEVER, approved_by="ana", approved_at=WHEN)
    assert judge(view, look_at(change(seen(street(), 9)))).verdict is Health.OK


FAULTS: dict[str, tuple[Change, Fault, Health]] = {
    "a blur of one pixel": (blur(1), Fault.DEFOCUS, Health.DEGRADED),
    "a blur of four pixels": (blur(4), Fault.DEFOCUS, Health.FAILED),
    "a blur beyond recognition": (blur(10), Fault.DEFOCUS, Health.FAILED),
    "a blur in little light": (lambda picture: gain(0.7)(blur(2)(picture)), Fault.DEFOCUS, Health.FAILED),
    "a fifth covered": (covered(0.2, 20), Fault.OBSTRUCTION, Health.DEGRADED),
    "half covered by something bright": (covered(0.5, 220), Fault.OBSTRUCTION, Health.FAILED),
    "half covered by something with a pattern": (covered(0.5, None), Fault.OBSTRUCTION, Health.FAILED),
    "all but a strip covered": (covered(0.95, 90), Fault.OBSTRUCTION, Health.FAILED),
    "all covered by a pattern": (covered(1.0, None), Fault.OBSTRUCTION, Health.FAILED),
    "a push of 12 pixels": (moved(12, 5), Fault.MOVED, Health.DEGRADED),
    "a push of 80 pixels": (moved(80, 10), Fault.MOVED, Health.FAILED),
    "a turn of two degrees": (moved(degrees=2), Fault.MOVED, Health.DEGRADED),
    "a turn of ten degrees": (moved(degrees=10), Fault.MOVED, Health.FAILED),
    "a longer zoom": (moved(zoom=1.06), Fault.MOVED, Health.DEGRADED),
    "another place": (lambda _: seen(street(77), 3), Fault.MOVED, Health.FAILED),
    "a quarter of the light": (gain(0.25), Fault.DARK, Health.DEGRADED),
    "a fifth of the light, and a fifth covered": (
        lambda picture: gain(0.2)(covered(0.2, 20)(picture)),
        Fault.DARK,
        Health.DEGRADED,
    ),
    "hardly any light": (gain(0.04), Fault.DARK, Health.FAILED),
    "far too much light": (gain(2.6, 70), Fault.BRIGHT, Health.FAILED),
    "an open infrared filter": (pink, Fault.COLOUR, Health.FAILED),
    "no colour by day": (grey, Fault.COLOUR, Health.DEGRADED),
    "strong noise": (noisy(25), Fault.NOISE, Health.DEGRADED),
}


@pytest.mark.parametrize(("change", "fault", "verdict"), FAULTS.values(), ids=FAULTS)
def test_names_the_fault_with(
    reference: Reference, burst: Burst, change: Change, fault: Fault, verdict: Health
) -> None:
    judgement = judge(reference, look_at_burst(burst(change)))
    assert (judgement.faults[0].fault, judgement.verdict) == (fault, verdict)
    assert 0.6 <= judgement.faults[0].confidence <= 0.95
    assert judgement.faults[0].evidence


def test_a_moved_camera_says_how_far(reference: Reference, burst: Burst) -> None:
    (found,) = judge(reference, look_at_burst(burst(moved(32, 0)))).faults
    assert found.evidence["shift_of_width"] == pytest.approx(0.05, abs=0.003)
    (found,) = judge(reference, look_at_burst(burst(moved(degrees=3)))).faults
    assert abs(float(found.evidence["degrees"] or 0)) == pytest.approx(3, abs=0.3)


def test_a_cover_says_how_much(reference: Reference, burst: Burst) -> None:
    (found,) = judge(reference, look_at_burst(burst(covered(0.5, 30)))).faults
    assert found.evidence["covered"] == pytest.approx(0.5, abs=0.12)


BURSTS: dict[str, tuple[Callable[[Burst], list[Picture]], bool]] = {
    "five equal pictures": (lambda burst: [burst()[0]] * 5, True),
    "five pictures of a live sensor": (lambda burst: burst(), False),
    "two equal pictures": (lambda burst: [burst()[0]] * 2, False),
}


@pytest.mark.parametrize(("made", "is_frozen"), BURSTS.values(), ids=BURSTS)
def test_frozen_are(
    reference: Reference, burst: Burst, made: Callable[[Burst], list[Picture]], is_frozen: bool
) -> None:
    pictures = made(burst)
    found = judge(reference, look_at_burst(pictures), stillness(pictures)).faults
    assert (Fault.FROZEN in {one.fault for one in found}) is is_frozen


PLAIN = np.full((540, 960, 3), 120, np.uint8)


def test_without_texture_nothing_is_claimed() -> None:
    view = of_picture(noisy(1)(PLAIN), condition=WHENEVER, approved_by="ana", approved_at=WHEN)
    judgement = judge(view, look_at(blur(3)(PLAIN)))
    assert judgement.verdict is Health.UNKNOWN
    assert judgement.reason is not None
    assert "not assessable" in judgement.reason
    assert judge(view, look_at(gain(0.02)(PLAIN))).verdict is Health.FAILED


SHAPES = {"one pixel": (1, 1), "one line": (1, 700), "a tall picture": (900, 300), "a huge one": (2400, 4000)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_any_shape_of_picture_gets_an_answer(reference: Reference, shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(2).integers(0, 255, (*shape, 3), np.uint8)
    assert judge(reference, look_at(picture)).verdict is Health.FAILED
    view = of_picture(picture, condition=WHENEVER, approved_by="ana", approved_at=WHEN)
    assert judge(view, look_at(picture)).verdict in {Health.OK, Health.UNKNOWN}


def test_the_mildest_of_several_references_explains_a_picture(reference: Reference, burst: Burst) -> None:
    night = of_picture(seen(street(77), 1), condition=WHENEVER, approved_by="ana", approved_at=WHEN)
    now = look_at_burst(burst(grey))
    assert [one.fault for one in mildest([judge(night, now), judge(reference, now)]).faults] == [Fault.COLOUR]


ALONE: dict[str, tuple[Picture, list[Fault], Health]] = {
    "black": (clipped(PLAIN * 0.0), [Fault.DARK], Health.FAILED),
    "white": (clipped(PLAIN * 3.0), [Fault.BRIGHT], Health.FAILED),
    "one grey": (PLAIN, [Fault.OBSTRUCTION], Health.FAILED),
    "a street": (street(), [], Health.UNKNOWN),
    "a coarse picture": (coded(10)(street()), [], Health.UNKNOWN),
}


@pytest.mark.parametrize(("picture", "faults", "verdict"), ALONE.values(), ids=ALONE)
def test_without_a_reference_can_be_said_of(picture: Picture, faults: list[Fault], verdict: Health) -> None:
    found_verdict, found, reason = judge_alone(look_at(picture))
    assert ([one.fault for one in found], found_verdict) == (faults, verdict)
    assert (reason is None) is (verdict is not Health.UNKNOWN)
