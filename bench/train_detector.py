"""How `analytics_qa/models/scenes.onnx` was made: `python -m bench.train_detector --work DIR --out scenes.onnx`.

A small CenterNet, trained from nothing but the simulator's own scenes, so that the simulator has a detector that knows
its people and vehicles. It knows nothing of the real world. Needs what the project does not: an environment with the
project, torch==2.13.0 and onnx; run it there, from the root of the repository. Pictures are drawn once into DIR. The
same seed and number of iterations train the same model, up to what floating point leaves open on another machine;
`--minutes` ends it earlier, and `--start` goes on from the weights that lie beside an earlier result. What ships was
trained in such legs, each with its own size of input and number of pictures; the last one went on from the weights of a
shallower network, with the blocks that were new to it near nothing. People are found less well than vehicles.
"""

import argparse
import copy
import math
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch  # type: ignore[import-not-found] # not a dependency of the project
import torch.nn.functional as nnf  # type: ignore[import-not-found] # as above
from numpy.typing import NDArray
from torch import nn

from analytics_qa.accuracy import average_precision
from analytics_qa.decoders import DECODERS, Layout
from analytics_qa.detections import Detections, named
from analytics_qa.overlap import without_doubles
from bench.scene_pictures import draw

SIZE = (640, 384)  # width, height of the input: the smallest people are twenty-five pixels tall in it
DRAWN = (640, 360)
CROP = (256, 192)  # trained on pieces round objects: most of a picture is empty, and costs as much
STRIDE = 4
CLASSES = ("person", "vehicle")
MOST_THINGS = 24
HELD_OUT_FROM = 900_000  # seeds of scenes that are never trained on


# --- pictures ---


def pictures(work: Path, name: str, first_seed: int, count: int, processes: int) -> tuple[Any, Any]:
    """Drawn once: pictures as the model sees them, and a table of class, left, top, right, bottom (class -1: none)."""
    images, boxes = work / f"{name}-{count}.npy", work / f"{name}-{count}-boxes.npy"
    if not boxes.exists():
        width, height = SIZE
        seen = np.lib.format.open_memmap(images, "w+", np.uint8, (count, height, width, 3))
        truth = np.full((count, MOST_THINGS, 5), -1, np.float32)
        with multiprocessing.Pool(processes, _alone) as pool:
            jobs = ((first_seed + index, DRAWN) for index in range(count))
            for index, (picture, things) in enumerate(pool.imap(_drawn, jobs, chunksize=16)):
                seen[index] = picture
                for place, (kind, box) in enumerate(things[:MOST_THINGS]):
                    truth[index, place] = [CLASSES.index(kind), *box]
        seen.flush()
        np.save(boxes, truth)
    return np.load(images, mmap_mode="r"), np.load(boxes)


def _alone() -> None:
    cv2.setNumThreads(1)


def _drawn(job: tuple[int, tuple[int, int]]) -> tuple[NDArray[np.uint8], list[tuple[str, list[float]]]]:
    """One picture, shrunk into the corner of the input as the detector does it."""
    seed, size = job
    picture, things = draw(seed, size)
    width, height = SIZE
    scale = min(width / size[0], height / size[1])
    canvas = np.full((height, width, 3), 114, np.uint8)
    inner = round(size[0] * scale), round(size[1] * scale)
    cv2.resize(picture, inner, dst=canvas[: inner[1], : inner[0]])
    return canvas, [(kind, [corner * scale for corner in box]) for kind, box in things]


def targets(
    truth: NDArray[np.float32], size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Heat per class, box numbers, and where these count: the nine cells round each centre."""
    across, down = size[0] // STRIDE, size[1] // STRIDE
    heat = np.zeros((len(CLASSES), down, across), np.float32)
    numbers = np.zeros((4, down, across), np.float32)
    counts = np.zeros((down, across), np.float32)
    rows, columns = np.mgrid[0:down, 0:across].astype(np.float32)
    drawn = truth[truth[:, 0] >= 0]
    for kind, left, top, right, bottom in drawn[np.argsort(-(drawn[:, 3] - drawn[:, 1]))]:  # small ones win their cells
        x, y = (left + right) / 2 / STRIDE, (top + bottom) / 2 / STRIDE
        width, height = max(1.0, right - left) / STRIDE, max(1.0, bottom - top) / STRIDE
        column, row = min(across - 1, int(x)), min(down - 1, int(y))
        sigma_x, sigma_y = max(0.6, width / 7), max(0.6, height / 7)
        bump = np.exp(-((columns - column) ** 2 / (2 * sigma_x**2) + (rows - row) ** 2 / (2 * sigma_y**2)))
        heat[int(kind)] = np.maximum(heat[int(kind)], bump)
        near = np.s_[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        numbers[:, *near] = np.stack(
            [x - columns[near], y - rows[near], np.full_like(columns[near], math.log(width)),
             np.full_like(columns[near], math.log(height))]
        )  # fmt: skip
        counts[near] = 1
    return heat, numbers, counts


def batches(images: Any, truth: Any, size: int, seed: int) -> Iterator[tuple[Any, Any, Any, Any]]:  # noqa: ANN401 - arrays
    """For ever: mirrored half of the time, brighter or darker, some without colour, some noisy."""
    chance = np.random.default_rng(seed)
    while True:
        order = chance.permutation(len(images))
        for start in range(0, len(order) - size + 1, size):
            seen, made = [], []
            for index in order[start : start + size]:
                picture, boxes = changed(*cropped(images[index], truth[index], chance), chance)
                seen.append(picture.transpose(2, 0, 1))
                made.append(targets(boxes, CROP))
            heat, numbers, counts = (np.stack(part) for part in zip(*made, strict=True))
            yield np.stack(seen), heat, numbers, counts


def cropped(
    picture: NDArray[np.uint8], truth: NDArray[np.float32], chance: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A piece, mostly round one of the objects; one of which too little is left is none."""
    free = np.array([SIZE[0] - CROP[0], SIZE[1] - CROP[1]])
    corner = chance.integers(0, free + 1)
    there = truth[truth[:, 0] >= 0]
    if len(there) and chance.random() < 0.85:  # noqa: PLR2004 - a share
        people = there[there[:, 0] == 0]  # fewer than vehicles, smaller, and harder
        choice = people if len(people) and chance.random() < 0.7 else there  # noqa: PLR2004 - a share
        chosen = choice[chance.integers(len(choice))]
        middle = np.array([(chosen[1] + chosen[3]) / 2, (chosen[2] + chosen[4]) / 2])
        corner = np.clip(middle - np.array(CROP) * chance.uniform(0.2, 0.8, 2), 0, free).astype(int)
    left, top = int(corner[0]), int(corner[1])
    boxes = truth.copy()
    boxes[:, 1:] = np.clip(truth[:, 1:] - np.array([left, top, left, top]), 0, np.array([*CROP, *CROP]))
    whole = (truth[:, 3] - truth[:, 1]) * (truth[:, 4] - truth[:, 2])
    kept = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
    boxes[kept < 0.4 * whole, 0] = -1
    return picture[top : top + CROP[1], left : left + CROP[0]], boxes


def changed(
    picture: NDArray[np.uint8], truth: NDArray[np.float32], chance: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    boxes = truth.copy()
    seen: NDArray[Any] = picture.astype(np.float32)
    if chance.random() < 0.5:  # noqa: PLR2004 - as often as not
        seen = seen[:, ::-1]
        boxes[:, [1, 3]] = seen.shape[1] - truth[:, [3, 1]]
    if chance.random() < 0.3:  # noqa: PLR2004 - a share
        seen = np.repeat(seen.mean(axis=2, keepdims=True), 3, axis=2)
    seen = seen * chance.uniform(0.6, 1.3) + chance.uniform(-20, 20)
    if chance.random() < 0.3:  # noqa: PLR2004 - a share
        seen = seen + chance.normal(0, chance.uniform(2, 12), seen.shape[:2])[..., None]
    return np.clip(seen, 0, 255).astype(np.float32), boxes


# --- the model ---


def cell(inputs: int, outputs: int, stride: int = 1) -> Any:  # noqa: ANN401 - torch has no types here
    """A depthwise separable convolution, with nothing between its two halves: half the memory to walk through."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):  # type: ignore[misc] # torch is not installed where types are checked
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = cell(width, width)

    def forward(self, x: Any) -> Any:  # noqa: ANN401 - a tensor
        return x + self.body(x)


class Finder(nn.Module):  # type: ignore[misc] # as above
    """Backbone 16-24-48-96-128, a neck of 40 channels back up to stride 4, heat and box numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
        self.down4 = nn.Sequential(cell(16, 24, 2), Residual(24), Residual(24))
        self.down8 = nn.Sequential(cell(24, 48, 2), *(Residual(48) for _ in range(4)))
        self.down16 = nn.Sequential(cell(48, 96, 2), *(Residual(96) for _ in range(4)))
        self.down32 = nn.Sequential(cell(96, 128, 2), *(Residual(128) for _ in range(4)))
        self.across = nn.ModuleList([nn.Conv2d(width, 40, 1) for width in (24, 48, 96, 128)])
        self.join = nn.ModuleList([cell(40, 40) for _ in range(3)])
        self.head = nn.Sequential(cell(40, 48), cell(48, 48), Residual(48), Residual(48))
        self.heat = nn.Conv2d(48, len(CLASSES), 1)
        self.numbers = nn.Conv2d(48, 4, 1)
        nn.init.constant_(self.heat.bias, -4.6)

    def forward(self, x: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a tensor
        four = self.down4(self.stem(x / 64.0 - 2.0))
        eight = self.down8(four)
        sixteen = self.down16(eight)
        up = self.across[3](self.down32(sixteen))
        for place, level in ((2, sixteen), (1, eight), (0, four)):
            up = self.join[place](nnf.interpolate(up, scale_factor=2.0, mode="nearest") + self.across[place](level))
        seen = self.head(up)
        return self.heat(seen), self.numbers(seen)


class AsYolox(nn.Module):  # type: ignore[misc] # as above
    """Rows of dx, dy, log w, log h, objectness, classes: the YOLOX layout.

    Objectness is the heat of the likeliest class, and nothing anywhere but on a peak: the decoder drops all other rows
    by one look at one column.
    """

    def __init__(self, finder: Finder) -> None:
        super().__init__()
        self.finder = finder

    def forward(self, x: Any) -> Any:  # noqa: ANN401 - a tensor
        heat, numbers = self.finder(x)
        heat = torch.sigmoid(heat)
        peaks = heat * (heat >= nnf.max_pool2d(heat, 3, 1, 1)).float()
        likeliest = peaks.amax(dim=1, keepdim=True)
        classes = peaks / torch.clamp(likeliest, min=1e-6)
        return torch.cat([numbers, likeliest, classes], dim=1).flatten(2).transpose(1, 2)


def loss_of(outputs: tuple[Any, Any], wanted: tuple[Any, Any, Any]) -> Any:  # noqa: ANN401 - a tensor
    """Focal loss of the heat map (Zhou et al., Objects as Points), L1 and overlap of the boxes."""
    heat, numbers = outputs
    true_heat, true_numbers, counts = wanted
    sure = torch.clamp(torch.sigmoid(heat), 1e-4, 1 - 1e-4)
    peak = (true_heat > 0.999).float()  # noqa: PLR2004 - the top of a bump
    hit = peak * torch.log(sure) * (1 - sure) ** 2
    miss = (1 - peak) * torch.log(1 - sure) * sure**2 * (1 - true_heat) ** 4
    things = torch.clamp(peak.sum(), min=1.0)
    cells = torch.clamp(counts.sum(), min=1.0)
    off = (nnf.smooth_l1_loss(numbers, true_numbers, reduction="none", beta=0.1) * counts[:, None]).sum() / cells
    apart = ((1 - overlap(numbers, true_numbers)) * counts).sum() / cells
    weights = torch.tensor([2.0, 1.0])[None, :, None, None]  # as in `cropped`
    return -((hit + miss) * weights).sum() / things + 0.5 * off + 5.0 * apart


def overlap(numbers: Any, true: Any) -> Any:  # noqa: ANN401 - tensors
    """Of the boxes that two sets of numbers mean at each cell: what is judged in the end, whatever an object's size."""
    sides = [torch.exp(torch.clamp(one[:, 2:], max=5.0)) for one in (numbers, true)]
    low = torch.maximum(numbers[:, :2] - sides[0] / 2, true[:, :2] - sides[1] / 2)
    high = torch.minimum(numbers[:, :2] + sides[0] / 2, true[:, :2] + sides[1] / 2)
    shared = torch.clamp(high - low, min=0).prod(dim=1)
    return shared / (sides[0].prod(dim=1) + sides[1].prod(dim=1) - shared + 1e-6)


# --- training ---


def found(model: Any, images: Any) -> list[Detections]:  # noqa: ANN401 - as above
    ids = np.arange(len(CLASSES))
    layout = Layout(*SIZE, (STRIDE,), decoded=False, threshold=np.float32(0.05), columns=ids, ours=ids)
    decode = DECODERS["yolox"](layout)
    results = []
    with torch.no_grad():
        for start in range(0, len(images), 16):
            seen = torch.from_numpy(np.ascontiguousarray(images[start : start + 16].transpose(0, 3, 1, 2))).float()
            for rows in model(seen).numpy():
                boxes, scores, classes = decode(rows[None])
                kept = without_doubles(boxes, scores, classes, 0.5)
                results.append(Detections(boxes[kept], np.clip(scores[kept], 0, 1), classes[kept], CLASSES))
    return results


def held_out(model: Any, images: Any, truth: Any) -> dict[str, float]:  # noqa: ANN401 - as above
    known = [named((CLASSES[int(row[0])], 1.0, row[1:]) for row in rows if row[0] >= 0) for rows in truth]
    seen = found(model, images)
    return {name: average_precision(seen, known, name) or 0.0 for name in CLASSES}


def train(given: argparse.Namespace) -> Any:  # noqa: ANN401 - as above
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    torch.set_flush_denormal(True)  # what decays to almost nothing would cost a hundred times as much
    images, truth = pictures(given.work, "train", 0, given.pictures, given.processes)
    test_images, test_truth = pictures(given.work, "test", HELD_OUT_FROM, 300, given.processes)
    finder = Finder().to(memory_format=torch.channels_last)
    if given.start:
        finder.load_state_dict(torch.load(given.start))
    smooth = copy.deepcopy(finder)
    steps = torch.optim.AdamW(finder.parameters(), lr=given.rate, weight_decay=1e-4)
    best, started = -1.0, time.monotonic()
    print(f"{sum(one.numel() for one in finder.parameters())} parameters, {len(images)} pictures", flush=True)
    for number, batch in enumerate(batches(images, truth, given.batch, given.seed), 1):
        share = max(number / given.iterations, (time.monotonic() - started) / (given.minutes * 60))
        for group in steps.param_groups:
            group["lr"] = given.rate * min(1.0, number / 50) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, share)))
        seen, *wanted = (torch.from_numpy(part) for part in batch)
        loss = loss_of(finder(seen.contiguous(memory_format=torch.channels_last)), tuple(wanted))
        steps.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(finder.parameters(), 10.0)
        steps.step()
        _follow(smooth, finder, min(0.998, number / (number + 10)))
        if number % given.look == 0 or share >= 1:
            reached = held_out(AsYolox(smooth).eval(), test_images, test_truth)
            minutes = (time.monotonic() - started) / 60
            print(f"{number} {minutes:.1f} min, loss {loss.item():.3f}, AP50 {reached}", flush=True)
            if sum(reached.values()) > best:
                best = sum(reached.values())
                export(smooth, given.out)
                torch.save(smooth.state_dict(), given.out.with_suffix(".pt"))
            smooth.train()
        if share >= 1:
            return


def _follow(smooth: Any, finder: Any, inertia: float) -> None:  # noqa: ANN401 - as above
    with torch.no_grad():
        for kept, new in zip(smooth.state_dict().values(), finder.state_dict().values(), strict=True):
            if kept.dtype.is_floating_point:
                kept.mul_(inertia).add_(new, alpha=1 - inertia)
            else:
                kept.copy_(new)


def export(finder: Any, out: Path) -> None:  # noqa: ANN401 - as above
    model = AsYolox(copy.deepcopy(finder).to(memory_format=torch.contiguous_format)).eval()
    blank = torch.zeros(1, 3, SIZE[1], SIZE[0])
    torch.onnx.export(
        model, (blank,), str(out), input_names=["images"], output_names=["output"], opset_version=13, dynamo=False
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.train_detector", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="where the drawn pictures are kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--pictures", type=int, default=6000)
    parser.add_argument("--iterations", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--look", type=int, default=200, help="iterations between looks at the held-out scenes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    train(given)


if __name__ == "__main__":
    main()
