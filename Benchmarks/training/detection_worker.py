"""Trains a detector with PyTorch in its own process: detection_worker.py MODEL SIZE BATCH THREADS LOADERS FOLDER

FOLDER has the images and `initial.pt`. The first line of output has the loss terms of the first batch without augmentation.
Then lines of JSON on standard input: {"steps": n} trains from the initial weights with augmentation, one step and n that
are timed, and reports their times, and the mean loss terms of the first n.
"""
import ctypes
import itertools
import json
import os
import pathlib
import sys
import time


def main():
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: a stopped process would not notice that its parent has ended
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries may print to standard output

    import cv2
    import networks
    import torch
    import yolo_data
    import yolo_loss
    import yolo_recipe

    model, (size, batch, threads, loaders), folder = sys.argv[1], map(int, sys.argv[2:6]), pathlib.Path(sys.argv[6])
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    cv2.setNumThreads(threads if loaders == 0 else 0)  # before the first use: its threads do not survive a fork
    state = torch.load(folder / "initial.pt")
    classes = len(state["model.30.m.0.bias" if "-spd" in model else "model.24.m.0.bias"]) // 3 - 5
    gains = yolo_recipe.gains(size, classes)

    def terms(net, images, targets):
        return yolo_loss.terms(net(images.float() / 255), targets, net.model[-1].anchors, gains)

    def fresh():
        net = networks.build(model, classes)
        net.load_state_dict(state)
        return net.train()

    def answer(**reply):
        print(json.dumps(reply), file=replies, flush=True)

    plain = yolo_data.Samples(folder / "data", size, augments=False)
    with torch.no_grad():
        answer(terms=[t.item() for t in terms(fresh(), *yolo_data.collate([plain[i] for i in range(batch)]))])

    batches = iter(yolo_data.Epochs(yolo_data.Samples(folder / "data", size), batch, loaders))
    for line in sys.stdin:
        steps = json.loads(line)["steps"]
        net = fresh()
        optimiser, average = yolo_recipe.optimiser(net, batch, fused=True), yolo_recipe.Average(net)
        times, found = [], []
        for step in itertools.count():
            start = time.perf_counter()
            images, targets = next(batches)
            losses = terms(net, images, targets)
            (batch * sum(losses)).backward()
            *rates, wanted = yolo_recipe.schedule(step, 0, 300, 1000, batch)
            assert wanted == 1  # in these first steps of the warm-up
            yolo_recipe.update(optimiser, *rates)
            average.update()
            found.append([loss.item() for loss in losses])
            times.append((time.perf_counter() - start) * 1e3)
            if step == steps:
                break
        answer(times_ms=times[1:], terms=[sum(t) / steps for t in zip(*found[:steps])])


if __name__ == "__main__":
    main()
