"""Compares `spdc evaluate` with pycocotools, or records pycocotools' results.

usage: coco_eval.py --check SPDC [--cases N] [--seed N]     fresh random cases; exit code 1 where a number differs
       coco_eval.py --record FILE                           the cases of SPDDetection's tests, with expected numbers
"""
import argparse
import contextlib
import copy
import io
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = ["AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L", "AR1", "AR10", "AR100", "AR_S", "AR_M", "AR_L"]
TOLERANCE = 1e-9


def expected(annotations, detections):
    """The twelve numbers of pycocotools, which requires keys that spdc has defaults for, and a detection."""
    annotations = copy.deepcopy(annotations)
    for annotation in annotations.get("annotations", []):
        annotation.setdefault("iscrowd", 0)
        annotation.setdefault("area", annotation["bbox"][2] * annotation["bbox"][3])
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = annotations
        truth.createIndex()
        if detections:
            found = truth.loadRes(copy.deepcopy(detections))
        else:
            found = COCO()
            found.dataset = {**annotations, "annotations": []}
            found.createIndex()
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats]


# What a random case may have; each is a probability.
TRAITS = dict(
    crowd=0.0, ignore=0.0, empty_box=0.0, tie=0.0, unknown_category=0.0, missing_area=0.0, missing_crowd=0.0,
    nan_score=0.0, float_id=0.0, edge_area=0.0, exact_overlap=0.0, negative_size=0.0, repeated_id=0.0, unknown_image=0.0,
    not_finite_box=0.0)


def box(rng, traits, near=None):
    if near and rng.random() < traits["exact_overlap"]:
        # An overlap of exactly k / 20, a threshold.
        return [near[0], near[1], near[2] * rng.randrange(8, 21) / 20, near[3]]
    if near:
        jitter = rng.choice([0, 0.02, 0.08, 0.2])
        return [round(value + rng.uniform(-jitter, jitter) * near[2 + index % 2], 2) for index, value in enumerate(near)]
    scale = rng.choice([12, 40, 120, 300])
    found = [round(rng.uniform(0, 400), 2), round(rng.uniform(0, 400), 2), round(rng.uniform(1, scale), 2),
             round(rng.uniform(1, scale), 2)]
    if rng.random() < traits["empty_box"]:
        found[rng.choice([2, 3])] = 0
    if rng.random() < traits["negative_size"]:
        found[rng.choice([2, 3])] *= -1
    if rng.random() < traits["not_finite_box"]:
        found[rng.randrange(4)] = rng.choice([float("nan"), float("inf")])
    if rng.random() < traits["edge_area"]:
        found[2:] = rng.choice([[32, 32], [96, 96], [16, 64], [64, 144], [33, 32]])
    return found


def identifier(rng, value, traits):
    return float(value) if rng.random() < traits["float_id"] else value


def shuffled(rng, items):
    items = list(items.items())
    rng.shuffle(items)
    return dict(items)


def random_case(rng, images=6, categories=3, objects=4, detections=8, first_id=1, **traits):
    """Images, categories and expected numbers of objects and detections per image."""
    traits = {**TRAITS, **traits}
    images = rng.sample(range(1, 1000), images)
    categories = rng.sample(range(1, 91), categories)
    stray = [91, 92] if traits["unknown_category"] else []

    def category():
        return rng.choice(stray) if stray and rng.random() < traits["unknown_category"] else rng.choice(categories)

    annotations, found = [], []
    for image in images:
        own = []
        for _ in range(rng.randint(0, 2 * objects) if categories else 0):
            bounds = box(rng, traits)
            annotation = dict(
                id=identifier(rng, first_id + len(annotations), traits), image_id=identifier(rng, image, traits),
                category_id=identifier(rng, category(), traits), bbox=bounds,
                area=bounds[2] * bounds[3] if rng.random() < 0.3 else round(bounds[2] * bounds[3] * rng.uniform(0.4, 1), 3),
                iscrowd=int(rng.random() < traits["crowd"]))
            if annotations and rng.random() < traits["repeated_id"]:
                annotation["id"] = rng.choice(annotations)["id"]
            if rng.random() < traits["unknown_image"]:
                annotation["image_id"] = 5000
            if rng.random() < traits["ignore"]:
                annotation["ignore"] = 1
            if rng.random() < traits["missing_area"]:
                del annotation["area"]
            if rng.random() < traits["missing_crowd"] and not annotation["iscrowd"]:
                del annotation["iscrowd"]
            own.append(annotation)
            annotations.append(shuffled(rng, annotation))
        for _ in range(rng.randint(0, 2 * detections) if categories else 0):
            near = rng.choice(own) if own and rng.random() < 0.7 else None
            score = rng.randrange(5) / 4 if rng.random() < traits["tie"] else rng.random()
            if rng.random() < traits["nan_score"]:
                score = float("nan")
            found.append(shuffled(rng, dict(
                image_id=identifier(rng, image, traits),
                category_id=near["category_id"] if near and rng.random() < 0.85 else category(),
                bbox=box(rng, traits, near and near["bbox"]), score=score)))
    rng.shuffle(annotations)
    rng.shuffle(found)
    return dict(
        images=[dict(id=identifier(rng, image, traits), file_name=f"{image:012}.jpg", width=640, height=480)
                for image in images],
        categories=[dict(id=identifier(rng, category, traits), name=f"class {category}") for category in categories],
        annotations=annotations), found


def single(annotation={}, detection={}, images=(1, 2), categories=(1, 2), more=(), more_detections=()):
    """One object and one detection that matches it, with changes."""
    return dict(
        images=[dict(id=image) for image in images], categories=[dict(id=id, name=str(id)) for id in categories],
        annotations=[dict(id=1, image_id=1, category_id=1, bbox=[10, 10, 20, 20], area=400, iscrowd=0) | annotation,
                     *more]), [
        dict(image_id=1, category_id=1, bbox=[10, 10, 20, 20], score=0.5) | detection, *more_detections]


def cases(rng):
    """(name, annotations, detections): adversarial cases by hand, then random ones."""
    none = dict(images=[dict(id=1)], categories=[dict(id=1, name="a")], annotations=[])
    nan = float("nan")
    far = dict(image_id=1, category_id=1, bbox=[200, 200, 9, 9], score=0.1)
    other = dict(id=2, image_id=1, category_id=1, bbox=[60, 60, 30, 30], area=900, iscrowd=0)
    yield "one object found", *single()
    yield "nothing at all", none, []
    yield "no objects, a detection", none, single()[1]
    yield "no detections", single()[0], []
    yield "no images", dict(images=[], categories=[dict(id=1, name="a")], annotations=[]), []
    yield "no categories", *single(categories=())
    yield "no list of annotations", dict(images=none["images"], categories=none["categories"]), single()[1]
    yield "an annotation with the id 0", *single(dict(id=0), more=[other])
    yield "an annotation with a negative id", *single(dict(id=-3))
    yield "an ignored annotation", *single(dict(ignore=1), more=[other])
    yield "a crowd alone", *single(dict(iscrowd=1), dict(bbox=[12, 12, 2, 2]))
    yield "a crowd that many share", *single(
        dict(iscrowd=1), more=[other], more_detections=[dict(image_id=1, category_id=1, bbox=[10 + i, 10, 5, 5], score=0.9)
                                                        for i in range(9)])
    yield "a crowd marked true", *single(dict(iscrowd=True), more=[other])
    yield "an object inside a crowd", *single(dict(iscrowd=1, bbox=[0, 0, 90, 90]), more=[other], more_detections=[
        dict(image_id=1, category_id=1, bbox=[60, 60, 29, 30], score=0.4)])
    yield "a NaN score before another", *single({}, dict(score=nan), more_detections=[far])
    yield "a NaN score after another", *single(detection=dict(score=0.1), more_detections=[far | dict(score=nan)])
    yield "an infinite score", *single({}, {}, more_detections=[far | dict(score=float("inf"))])
    yield "scores of 0 and -0", *single({}, dict(score=-0.0), more_detections=[far | dict(score=0.0)])
    yield "a box of NaN", *single(dict(bbox=[nan] * 4))
    yield "an endless box", *single(dict(bbox=[0, 0, float("inf"), 5]), dict(bbox=[0, 0, float("inf"), 5]))
    yield "an area of NaN", *single(dict(area=nan), more=[other])
    yield "a negative area", *single(dict(area=-5))
    yield "boxes of size 0", *single(dict(bbox=[5, 5, 0, 0], area=0), dict(bbox=[5, 5, 0, 0]))
    yield "equal annotation ids", *single(more=[other | dict(id=1)])
    yield "equal annotation ids in two images", *single(more=[other | dict(id=1, image_id=2)])
    yield "equal image ids", *single(images=(1, 1, 2))
    yield "equal category ids", *single(categories=(1, 1, 2))
    yield "an unknown category", *single(more=[other | dict(category_id=9)], more_detections=[far | dict(category_id=9)])
    yield "ids of 64 bits", *single(dict(image_id=2**62 + 1), dict(image_id=2**62 + 1), images=(2**62 + 1, 2**62))
    yield "ids of text", *single(dict(image_id="b/é"), dict(image_id="b/é"), images=("b/é", "a"))
    yield "the area limits", *single(dict(area=1024), more=[other | dict(area=9216)])
    yield "more than 100 detections", *random_case(rng, 2, 1, 5, 130, tie=0.5)
    traits = [
        {}, dict(crowd=0.3), dict(tie=1.0), dict(exact_overlap=0.6), dict(edge_area=0.5), dict(empty_box=0.3),
        dict(unknown_category=0.3), dict(missing_area=0.5, missing_crowd=0.5), dict(float_id=0.5),
        dict(nan_score=0.3, tie=0.5), dict(first_id=0), dict(first_id=-7), dict(negative_size=0.3, empty_box=0.2),
        dict(repeated_id=0.2), dict(unknown_image=0.2), dict(not_finite_box=0.1), dict(ignore=0.3),
        dict(crowd=1.0), dict(tie=0.7, crowd=0.2, exact_overlap=0.3, edge_area=0.2, empty_box=0.1, nan_score=0.05)]
    for trait in traits:
        yield "random: " + (", ".join(f"{name} {value}" for name, value in trait.items()) or "plain"), *random_case(
            rng, **trait)


def fresh(rng):
    """A random case with random traits."""
    traits = {name: rng.choice([0, 0, 0.1, 0.4]) for name in TRAITS}
    return random_case(
        rng, rng.choice([1, 3, 10]), rng.choice([1, 2, 6]), rng.choice([1, 3, 10]), rng.choice([1, 5, 20, 90]),
        first_id=rng.choice([-5, 0, 1, 1, 1]), **traits)


def check(spdc, count, seed):
    rng = random.Random(seed)
    failed = 0
    largest = 0.0
    everything = [*cases(rng), *((f"fresh {index}", *fresh(rng)) for index in range(count))]
    with tempfile.TemporaryDirectory() as folder:
        truth, found = Path(folder) / "annotations.json", Path(folder) / "detections.json"
        for name, annotations, detections in everything:
            truth.write_text(json.dumps(annotations, indent=rng.choice([None, 1]), ensure_ascii=rng.random() < 0.5))
            found.write_text(json.dumps(detections))
            run = subprocess.run(
                [spdc, "evaluate", "--detections", found, "--annotations", truth, "--json"], capture_output=True, text=True)
            if run.returncode:
                failed += 1
                print(f"WRONG evaluate {name}: {run.stderr.strip()}")
                continue
            result = json.loads(run.stdout)
            wanted = expected(annotations, detections)
            errors = {key: (result[key], value) for key, value in zip(NAMES, wanted)
                      if not abs(result[key] - value) <= TOLERANCE}
            largest = max([largest, *(abs(result[key] - value) for key, value in zip(NAMES, wanted))])
            if errors:
                failed += 1
                print(f"WRONG evaluate {name}: (spdc, pycocotools) {errors}")
    label = "ok   " if not failed else "WRONG"
    print(f"{label} evaluate: {len(everything) - failed} of {len(everything)} cases equal pycocotools within {TOLERANCE:g},"
          f" largest difference {largest:.1e} (seed {seed})")
    return failed == 0


def record(path):
    rng = random.Random(20)
    recorded = [
        dict(name=name, annotations=json.dumps(annotations, separators=(",", ":")),
             detections=json.dumps(detections, separators=(",", ":")), expected=expected(annotations, detections))
        for name, annotations, detections in cases(rng)]
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in recorded) + "\n]\n")
    print(f"{path}: {len(recorded)} cases")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="SPDC")
    parser.add_argument("--record", metavar="FILE")
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    if arguments.record:
        record(arguments.record)
    if arguments.check and not check(arguments.check, arguments.cases, arguments.seed):
        sys.exit(1)


if __name__ == "__main__":
    main()
