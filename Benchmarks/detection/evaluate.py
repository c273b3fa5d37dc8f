"""Times `spdc evaluate` beside pycocotools on an input of val2017's size.

usage: Benchmarks/detection/evaluate SPDC [--rounds N] [--threads N] [--keep FOLDER]

5000 images, 36335 objects, 100 detections per image, 80 categories. Both read the same files; the runs alternate, and
the twelve numbers must agree within 1e-9. "evaluation" leaves out reading the files and pycocotools' indexing.
"""
import argparse
import contextlib
import io
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = ["AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L", "AR1", "AR10", "AR100", "AR_S", "AR_M", "AR_L"]
IMAGES, OBJECTS, DETECTIONS, CATEGORIES = 5000, 36335, 100, 80


def make(folder, seed=0):
    """Writes annotations.json and detections.json: most detections surround objects, as a network's do."""
    rng = random.Random(seed)
    ids = sorted(rng.sample(range(1, 600000), IMAGES))
    weights = [1 / (1 + category) for category in range(CATEGORIES)]
    by_image = {image: [] for image in ids}
    annotations = []
    for number in range(OBJECTS):
        image = rng.choice(ids)
        width, height = (min(rng.lognormvariate(4, 1), 600) for _ in range(2))
        box = [round(rng.uniform(0, 640 - width), 2) if width < 640 else 0,
               round(rng.uniform(0, 480 - height), 2) if height < 480 else 0, round(width, 2), round(height, 2)]
        annotation = dict(
            segmentation=[[round(rng.uniform(0, 640), 2) for _ in range(2 * rng.randrange(4, 40))]],
            area=width * height * rng.uniform(0.5, 0.9), iscrowd=int(rng.random() < 0.01), image_id=image, bbox=box,
            category_id=rng.choices(range(1, CATEGORIES + 1), weights)[0], id=number + 1)
        annotations.append(annotation)
        by_image[image].append(annotation)
    detections = []
    for image in ids:
        for _ in range(DETECTIONS):
            near = rng.choice(by_image[image]) if by_image[image] and rng.random() < 0.7 else None
            if near:
                spread = rng.choice([0.03, 0.1, 0.3])
                box = [value + rng.gauss(0, spread) * near["bbox"][2 + index % 2]
                       for index, value in enumerate(near["bbox"])]
            else:
                box = [rng.uniform(0, 500), rng.uniform(0, 400), rng.uniform(5, 140), rng.uniform(5, 80)]
            category = near["category_id"] if near and rng.random() < 0.7 else rng.randint(1, CATEGORIES)
            detections.append(dict(
                image_id=image, category_id=category, bbox=[round(abs(value), 3) for value in box],
                score=round(rng.betavariate(0.5, 3), 5)))
    images = [dict(id=image, file_name=f"{image:012}.jpg", width=640, height=480) for image in ids]
    categories = [dict(id=index + 1, name=f"class {index + 1}") for index in range(CATEGORIES)]
    truth = dict(images=images, categories=categories, annotations=annotations)
    (folder / "annotations.json").write_text(json.dumps(truth))
    (folder / "detections.json").write_text(json.dumps(detections))


def pycocotools(folder):
    """(seconds of everything, seconds of the evaluation, the twelve numbers)"""
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        truth = COCO(str(folder / "annotations.json"))
        found = truth.loadRes(str(folder / "detections.json"))
        loaded = time.perf_counter()
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        end = time.perf_counter()
    return end - start, end - loaded, [float(value) for value in evaluation.stats]


def spdc(program, folder, threads):
    """The same of spdc; "everything" includes the start of the process."""
    start = time.perf_counter()
    output = subprocess.run(
        [program, "evaluate", "--detections", folder / "detections.json", "--annotations", folder / "annotations.json",
         "--threads", str(threads), "--json"], capture_output=True, text=True, check=True).stdout
    seconds = time.perf_counter() - start
    result = json.loads(output)
    return seconds, result["evaluation_seconds"], [result[name] for name in NAMES]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spdc")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder for the files, which are used again if they exist")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "detections.json").exists():
            make(folder)
        runs = {"pycocotools": [], "spdc": []}
        for _ in range(arguments.rounds):
            runs["pycocotools"].append(pycocotools(folder))
            runs["spdc"].append(spdc(arguments.spdc, folder, arguments.threads))
    difference = max(abs(a - b) for a, b in zip(runs["pycocotools"][0][2], runs["spdc"][0][2]))
    print(f"{IMAGES} images, {OBJECTS} objects, {IMAGES * DETECTIONS} detections, {CATEGORIES} categories; "
          f"{arguments.rounds} rounds, spdc on {arguments.threads} threads, pycocotools on one")
    print(f"largest difference of the twelve numbers: {difference:.1e} (AP {runs['spdc'][0][2][0]:.6f})")
    for column, label in enumerate(["with reading", "evaluation"]):
        times = {name: [run[column] for run in found] for name, found in runs.items()}
        for name, seconds in times.items():
            print(f"{label:14}{name:12} min {min(seconds):8.3f} s  median {statistics.median(seconds):8.3f} s")
        print(f"{label:14}{'ratio':12} min {min(times['pycocotools']) / min(times['spdc']):8.1f}    "
              f"median {statistics.median(times['pycocotools']) / statistics.median(times['spdc']):8.1f}")
    if difference > 1e-9:
        sys.exit("the results differ")


if __name__ == "__main__":
    main()
