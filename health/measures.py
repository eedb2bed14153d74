"""A picture beside its reference view, in numbers. Pure; thresholds live in `health.judge`."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from health.looks import SIZE, Colour, Light, Look, Map, blocks
from health.reference import Mask, Reference, gradient_map, sharpness, zncc

LOST_ZNCC = 0.5
_HALF = (SIZE[0] // 2, SIZE[1] // 2)
_WINDOW = cv2.createHanningWindow(_HALF, cv2.CV_32F)
_LEAST_EDGE_PIXELS = 400
# The slower search for a move is worth its time only where much of the picture has changed.
_LOOK_CLOSER_SHARE = 0.2
_FEATURES = 500
_RATIO = 0.8
_LEAST_MATCHES = 8
_LEAST_OVERLAP = 0.25
_CHANGED_LEVELS, _LOST_BESIDE_SHADED = 25.0, 0.25
_CHANGED_STOPS, _LOST_BESIDE_HIDDEN = 1.2, 0.05
_DARK_LEVELS = 8.0


@dataclass(frozen=True, slots=True)
class Move:
    """How the picture has moved against the reference, in pixels of the working size.

    `explains` is the share of the lost blocks that show the reference again once the movement is taken back.
    """

    dx: float
    dy: float
    degrees: float
    zoom: float
    explains: float

    @property
    def pixels(self) -> float:
        return math.hypot(self.dx, self.dy)


@dataclass(frozen=True, slots=True)
class Measures:
    """Everything that a judgement needs. Shares are of the blocks that can be compared.

    `lost_share`: blocks that show something else. `patch_*`: of the largest connected piece of them its share, its
    brightness, its local and its large-scale contrast against the reference's, and how much its parts differ in local
    contrast. `area_share`: of the whole picture, with the flat blocks that changed alike. `coarse`: correlation of the
    thumbnails. `reblur`: change of sharpness on the reference's edges, `None` where there are too few.
    `contrast_log2`, `texture`: local contrast and edge energy against the reference's. `move`: the movement that
    explains the change best, looked for where much changed.
    """

    assessable_share: float
    lost_share: float
    patch_share: float
    patch_light: float
    patch_texture: float
    patch_spread: float
    patch_variety: float
    area_share: float
    coarse: float
    reblur: float | None
    contrast_log2: float
    texture: float
    move: Move | None
    light: Light
    reference_light: Light
    colour: Colour
    reference_colour: Colour
    noise: float
    reference_noise: float
    lost: Mask


def compare(reference: Reference, now: Look) -> Measures:
    then = reference.look
    alike = zncc(then, now)
    lost = reference.usable & (alike < LOST_ZNCC)
    usable = max(1, int(reference.usable.sum()))
    patch, area = _largest_patch(reference, now, lost)
    lost_share = float(lost.sum() / usable)
    return Measures(
        assessable_share=reference.assessable_share,
        lost_share=lost_share,
        patch_share=float(patch.sum() / usable),
        patch_light=float(now.mean[patch].mean()) if patch.any() else 0.0,
        patch_texture=_ratio(np.sqrt(now.variance[patch]), np.sqrt(then.variance[patch])),
        patch_spread=float((now.mean[patch].std() + 1) / (then.mean[patch].std() + 1)) if patch.any() else 1.0,
        patch_variety=float(np.log2(np.sqrt(now.variance[patch]) + 1).std()) if patch.any() else 0.0,
        area_share=area,
        coarse=_correlation(then.thumb, now.thumb),
        reblur=_reblur(reference, now, lost),
        contrast_log2=_contrast(reference, now, lost),
        texture=(cv2.mean(now.energy)[0] + 1) / (cv2.mean(then.energy)[0] + 1),
        move=_move(reference, now, lost) if lost_share > _LOOK_CLOSER_SHARE else None,
        light=now.light,
        reference_light=then.light,
        colour=now.colour,
        reference_colour=then.colour,
        noise=now.noise,
        reference_noise=then.noise,
        lost=lost,
    )


def _largest_patch(reference: Reference, now: Look, lost: Mask) -> tuple[Mask, float]:
    """The lost blocks of the largest connected change, and its share of the picture.

    People are scattered, a cover is one thing. Blocks without texture cannot be compared: one whose brightness leaves
    the others' counts beside enough lost ones, since shadows fall on flat ground; beside few, where no shadow can be
    that deep.
    """
    if not lost.any():
        return lost, 0.0
    levels = now.mean - reference.look.mean
    stops = np.log2((now.mean + _DARK_LEVELS) / (reference.look.mean + _DARK_LEVELS))
    flat = ~reference.usable
    shaded = flat & (np.abs(levels - np.median(levels)) > _CHANGED_LEVELS)
    hidden = flat & (np.abs(stops - np.median(stops)) > _CHANGED_STOPS)
    patch, area = _component(lost, lost | shaded, _LOST_BESIDE_SHADED)
    _, deeper = _component(lost, lost | hidden, _LOST_BESIDE_HIDDEN)
    return patch, max(area, deeper)


def _component(lost: Mask, changed: Mask, least_lost: float) -> tuple[Mask, float]:
    count, found = cv2.connectedComponents(changed.astype(np.uint8), connectivity=4)
    labels = np.asarray(found)
    of_lost = np.bincount(labels[lost], minlength=count)
    largest = int(np.argmax(of_lost))
    size = int((labels == largest).sum())
    area = size / changed.size if of_lost[largest] >= least_lost * size else 0.0
    return np.asarray(lost & (labels == largest), np.bool_), area


def _ratio(above: Map, below: Map) -> float:
    return float(above.mean() / (below.mean() + 1e-3)) if above.size else 1.0


def _correlation(first: Map, second: Map) -> float:
    one, two = first - first.mean(), second - second.mean()
    return float((one * two).sum() / (math.sqrt(float((one * one).sum()) * float((two * two).sum())) + 1e-3))


def _reblur(reference: Reference, now: Look, lost: Mask) -> float | None:
    """Sharpness is what a second blur takes away: free of gain, offset and fog (Crete 2007), here on known edges only.

    Where something else stands now, its own sharpness must not count.
    """
    if reference.edge_pixels < _LEAST_EDGE_PIXELS:
        return None
    if not lost.any() or lost.sum() >= 0.5 * reference.usable.sum():
        return sharpness(now, reference.edge_zone) - reference.sharpness
    hidden = cv2.resize(lost.astype(np.uint8), SIZE, interpolation=cv2.INTER_NEAREST)
    zone = reference.edge_zone * (1 - np.asarray(hidden, np.float32))
    if cv2.countNonZero(zone) < _LEAST_EDGE_PIXELS:
        return None
    return sharpness(now, zone) - sharpness(reference.look, zone)


def _contrast(reference: Reference, now: Look, lost: Mask) -> float:
    kept = reference.usable & ~lost
    if not kept.any():
        kept = reference.usable if reference.usable.any() else np.ones_like(reference.usable)
    ratios = (now.variance[kept] + 0.5) / (reference.look.variance[kept] + 0.5)
    return float(np.median(np.log2(ratios)) / 2)


def _shift(reference: Reference, now: Look) -> tuple[float, float]:
    """Of the gradients, which a change of light leaves in place; in pixels of the working size."""
    # A copy: phaseCorrelate lays the window over what it is given, in place (OpenCV 5.0).
    (x, y), _ = cv2.phaseCorrelate(reference.gradient.copy(), gradient_map(now), _WINDOW)
    if not (math.isfinite(x) and math.isfinite(y)):
        return 0.0, 0.0
    return 2 * x, 2 * y


def _move(reference: Reference, now: Look, lost: Mask) -> Move | None:
    """Phase correlation knows shifts only, matched points also turns and zooms but need points: the better one."""
    shift = _shift(reference, now)
    shifted = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    candidates = [shifted, matched(reference.look, now)]
    moves = [_explaining(reference, now, lost, affine) for affine in candidates if affine is not None]
    return max(moves, key=lambda move: move.explains, default=None)


def _explaining(reference: Reference, now: Look, lost: Mask, affine: NDArray[np.float64]) -> Move:
    """Take the movement back and compare again, where the picture still reaches."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    back = np.asarray(cv2.warpAffine(now.gray, affine, SIZE, flags=flags, borderValue=-1), np.float32)
    mean = blocks(back)
    there = lost & (blocks(np.asarray(back < 0, np.float32)) == 0)
    then = reference.look
    both = blocks(then.gray * back) - then.mean * mean
    variance = np.maximum(blocks(back * back) - mean * mean, 0)
    alike = both / np.sqrt((then.variance + 1) * (variance + 1)) >= LOST_ZNCC
    centre = np.array([SIZE[0] / 2, SIZE[1] / 2, 1.0])
    dx, dy = affine @ centre - centre[:2]
    enough = there.sum() >= max(4, _LEAST_OVERLAP * lost.sum())
    return Move(
        dx=float(dx),
        dy=float(dy),
        degrees=math.degrees(math.atan2(affine[1, 0], affine[0, 0])),
        zoom=float(math.hypot(affine[0, 0], affine[1, 0])),
        explains=float((alike & there).sum() / there.sum()) if enough else 0.0,
    )


def matched(then: Look, now: Look) -> NDArray[np.float64] | None:
    """The movement that most of the matched points agree on (ORB, RANSAC); `None` for too few."""
    detector = cv2.ORB.create(_FEATURES)
    found = [detector.detectAndCompute(look.gray.astype(np.uint8), np.empty(0, np.uint8)) for look in (then, now)]
    (points, words), (new_points, new_words) = found
    if min(len(points), len(new_points)) < _LEAST_MATCHES:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(words, new_words, k=2)
    good = [pair[0] for pair in pairs if len(pair) > 1 and pair[0].distance < _RATIO * pair[1].distance]
    if len(good) < _LEAST_MATCHES:
        return None
    source = np.array([points[one.queryIdx].pt for one in good], np.float32)
    target = np.array([new_points[one.trainIdx].pt for one in good], np.float32)
    # The order of the tries is fixed inside OpenCV: the same two pictures always give the same answer.
    affine, _ = cv2.estimateAffinePartial2D(source, target, ransacReprojThreshold=3.0)
    whole = np.asarray(affine, np.float64)  # None, which the annotation does not know, becomes a lone NaN
    return whole if whole.shape == (2, 3) and np.isfinite(whole).all() else None
