"""Times the scan of a data set of COCO's size, the reading of its annotations, and the loader of training samples.

usage: Benchmarks/detection/data SPDC [--rounds N] [--part scan|annotations|loader|training] [--quick]

scan         118,287 images with label files, of which there are 64 different ones with many names: as a first scan, and
             with the cache that it leaves
annotations  a file like instances_train2017.json: 860,001 annotations with outlines, 450 MB
loader       training samples of yolov5-spd-n's preset (mosaic, perspective, HSV, flip) from JPEGs of 640×640, with a network
             that takes no time to speak of, and one loader thread: the run waits for the loader almost all the time
training     the share of the time that training yolov5-spd-n at 320×320 waits for its loader thread

Time and peak memory are those of the whole process. Files are in the page cache.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = HERE.parent.parent / "build/peers/data"
IMAGES, ANNOTATIONS, DIFFERENT = 118_287, 860_001, 64
OUTLINES, CROWDS = 4096, 100  # different outlines; one annotation of so many is a crowd


def call(command):
    """(standard output, seconds, peak memory in MB) of a process."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            sys.exit(errors.read().decode())
        return output.read().decode(), seconds, usage.ru_maxrss / 1024


def shapes(spdc, folder, count, side):
    """A generated set of `count` images, for training and for validation at least one."""
    if not (folder / "data.yaml").exists():
        call([spdc, "dataset", "shapes", "-o", folder, "--train", count, "--val", 8, "--size", side, "--force"])
    return folder


def make_images(spdc, count):
    """A data set in which many names lead to few files."""
    folder = WORK / f"images-{count}"
    if (folder / "data.yaml").exists():
        return folder
    few = shapes(spdc, WORK / "few", DIFFERENT, 64)
    images, labels = (sorted((few / kind / "train").iterdir()) for kind in ("images", "labels"))
    for kind in ("images", "labels"):
        (folder / kind / "train").mkdir(parents=True, exist_ok=True)
    for index in range(count):
        for kind, files in (("images", images), ("labels", labels)):
            source = files[index % len(files)]
            os.link(source, folder / kind / "train" / f"{index:012}{source.suffix}")
    text = (few / "data.yaml").read_text().splitlines(keepends=True)
    text = "".join(line for line in text if not line.startswith("val:"))
    (folder / "data.yaml").write_text(text)
    return folder


def outlines(rng):
    """Segmentations as text, with as many points as COCO's: about 24 on average, in 1 to 4 parts."""
    for _ in range(OUTLINES):
        parts = []
        for _ in range(1 if rng.random() < 0.9 else rng.randint(2, 4)):
            count = 2 * max(3, min(200, round(rng.lognormvariate(2.95, 0.6))))
            parts.append("[" + ",".join(f"{rng.uniform(1, 640):.2f}" for _ in range(count)) + "]")
        yield "[" + ",".join(parts) + "]"


def make_annotations(images, annotations):
    path = WORK / f"instances-{annotations}.json"
    if path.exists():
        return path
    rng = random.Random(0)
    choices = list(outlines(rng))
    mask = ",".join(str(rng.randrange(1, 2000)) for _ in range(250))
    temporary = path.with_suffix(".temporary")
    with temporary.open("w") as file:
        file.write('{"info": {"year": 2017}, "images": [')
        for index in range(images):
            file.write((", " if index else "") + json.dumps(dict(
                license=3, file_name=f"{index:012}.jpg", height=480, width=640, date_captured="2013-11-14 11:18:45",
                coco_url=f"http://images.cocodataset.org/train2017/{index:012}.jpg", id=index)))
        file.write('], "annotations": [')
        for index in range(annotations):
            crowd = index % CROWDS == 0
            x, y = rng.uniform(0, 500), rng.uniform(0, 400)
            segmentation = f'{{"counts": [{mask}], "size": [480, 640]}}' if crowd else rng.choice(choices)
            file.write((", " if index else "") + f'{{"segmentation": {segmentation},"area": {rng.uniform(20, 9e4):.5f},'
                       f'"iscrowd": {int(crowd)},"image_id": {rng.randrange(images)},'
                       f'"bbox": [{x:.2f},{y:.2f},{rng.uniform(2, 640 - x):.2f},{rng.uniform(2, 480 - y):.2f}],'
                       f'"category_id": {rng.randint(1, 80)},"id": {index + 1}}}')
        names = ", ".join(f'{{"supercategory": "any", "id": {k}, "name": "class {k}"}}' for k in range(1, 81))
        file.write(f'], "categories": [{names}]}}')
    temporary.rename(path)
    return path


def line(name, values, unit, digits=2):
    print(f"{name:44} min {min(values):9.{digits}f}  median {statistics.median(values):9.{digits}f} {unit}", flush=True)


def check(spdc, data, *further):
    """Seconds, MB, and the report of `spdc dataset check`."""
    output, seconds, memory = call([spdc, "dataset", "check", data, "--json", *further])
    return seconds, memory, json.loads(output)


def scan(options):
    count = IMAGES // 20 if options.quick else IMAGES
    folder = make_images(options.spdc, count)
    runs = {"first scan": [], "scan with cache": []}
    for _ in range(options.rounds):
        for cache in folder.rglob("*.spdc-cache"):
            cache.unlink()
        for found in runs.values():
            found.append(check(options.spdc, folder)[:2])
    for name, found in runs.items():
        line(f"{name}, {count} images", [seconds for seconds, _ in found], "s")
        line("    peak memory", [memory for _, memory in found], "MB", 0)


def annotations(options):
    images, count = (IMAGES // 20, ANNOTATIONS // 20) if options.quick else (IMAGES, ANNOTATIONS)
    folder, path = make_images(options.spdc, images), make_annotations(images, count)
    found = [check(options.spdc, path, "--images", folder / "images/train")[:2] for _ in range(options.rounds)]
    line(f"{count} annotations, {path.stat().st_size / 1e6:.0f} MB", [seconds for seconds, _ in found], "s")
    line("    peak memory", [memory for _, memory in found], "MB", 0)


def train(options, model, side, images, batch, source):
    """The summary of one epoch."""
    data = shapes(options.spdc, WORK / f"shapes-{source}", 512, source)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        output, _, _ = call([
            options.spdc, "train", model, "--preset", "yolov5-spd-n", "--data", data, "--size", side, "--batch", batch,
            "--epochs", 1, "--set", f"limit={images}", "--set", "autoanchor=false", "--loader-threads", 1, "--threads",
            options.threads, "-o", Path(folder) / "run", "--json"])
        return json.loads(output)


def loader(options):
    for side in (640, 320):
        images = 128 if options.quick else 512
        found = [train(options, HERE / "loader-only.swift", side, images, 16, 640) for _ in range(options.rounds)]
        line(f"loader, {side}×{side}, one thread", [run["images_per_second"] for run in found], "samples/s", 1)
        line("    waited for it", [100 * run["waiting"] for run in found], "% of the time", 1)


def training(options):
    images = 64 if options.quick else 512
    found = [train(options, "yolov5-spd-n", 320, images, 16, 640) for _ in range(options.rounds)]
    line("training yolov5-spd-n, 320×320, batch 16", [run["images_per_second"] for run in found], "images/s", 1)
    line("    waited for the loader", [100 * run["waiting"] for run in found], "% of the time", 1)


PARTS = dict(scan=scan, annotations=annotations, loader=loader, training=training)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("spdc")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--part", choices=PARTS, help="default: all")
    p.add_argument("--quick", action="store_true", help="a small part of the data, once")
    options = p.parse_args()
    options.spdc = shutil.which(options.spdc) or sys.exit(f"{options.spdc}: not a program")
    if options.quick:
        options.rounds = 1
    WORK.mkdir(parents=True, exist_ok=True)
    for name, part in PARTS.items():
        if options.part in (None, name):
            part(options)


if __name__ == "__main__":
    main()
