"""Compute augmentation cases with OpenCV and numpy, for Tests/SPDDetectionTests.

    python augmentation.py            # compares the recorded cases with OpenCV
    python augmentation.py --write    # records them again

Needs opencv-python-headless 4.x (4.10.0 recorded the cases; OpenCV 5 warps with another arithmetic), numpy
and scipy.
"""
import argparse
import base64
import json
import math
import pathlib
import sys

import cv2
import numpy as np

FIXTURES = pathlib.Path(__file__).parent.parent / "SPDDetectionTests/Fixtures/augmentation"


def noise(width, height, seed):
    """The test image of the Swift tests: bytes of a linear congruential generator over a gradient."""
    state, values = seed, []
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(state >> 24)
    image = np.array(values, np.uint8).reshape(height, width, 3)
    y, x = np.mgrid[:height, :width]
    ramp = ((x * 5 + y * 3)[..., None] + np.array([0, 80, 160])) % 256
    return np.where((x // 8 + y // 8)[..., None] % 2 == 0, image, ramp).astype(np.uint8)


def encoded(image):
    return base64.b64encode(np.ascontiguousarray(image).tobytes()).decode()


def checksum(array):
    flat = array.reshape(-1).astype(np.uint64)
    return int((flat * (np.arange(flat.size, dtype=np.uint64) % 65521 + 1)).sum())


def resize_area():
    cases = []
    for w, h, width, height in [(40, 30, 20, 15), (48, 36, 16, 12), (48, 30, 12, 10), (47, 31, 20, 13), (64, 48, 63, 47),
                                (33, 57, 10, 57), (29, 3, 7, 1)]:
        out = cv2.resize(noise(w, h, w), (width, height), interpolation=cv2.INTER_AREA)
        cases.append(dict(w=w, h=h, width=width, height=height, pixels=encoded(out)))
    return cases


def matrix(plan, w, h, width, height):
    """T·S·R·P·C; R is OpenCV's rotation matrix."""
    c = np.eye(3)
    c[0, 2], c[1, 2] = -w / 2, -h / 2
    p = np.eye(3)
    p[2, 0], p[2, 1] = plan["perspectiveX"], plan["perspectiveY"]
    r = np.eye(3)
    r[:2] = cv2.getRotationMatrix2D(angle=plan["angle"], center=(0, 0), scale=plan["scale"])
    s = np.eye(3)
    s[0, 1], s[1, 0] = math.tan(math.radians(plan["shearX"])), math.tan(math.radians(plan["shearY"]))
    t = np.eye(3)
    t[0, 2], t[1, 2] = plan["translateX"] * width, plan["translateY"] * height
    return t @ s @ r @ p @ c


def is_perspective(plan):
    return plan["perspectiveX"] != 0 or plan["perspectiveY"] != 0


def warped(image, plan, width, height):
    m = matrix(plan, image.shape[1], image.shape[0], width, height)
    if is_perspective(plan):
        return cv2.warpPerspective(image, m, dsize=(width, height), borderValue=(114, 114, 114))
    return cv2.warpAffine(image, m[:2], dsize=(width, height), borderValue=(114, 114, 114))


def kept(box, old, scale, minimum):
    w, h = box[2] - box[0], box[3] - box[1]
    area = (old[2] - old[0]) * scale * (old[3] - old[1]) * scale
    return w > 2 and h > 2 and w * h / (area + 1e-16) > minimum and max(w / (h + 1e-16), h / (w + 1e-16)) < 20


def transform(objects, plan, w, h, width, height):
    m = matrix(plan, w, h, width, height)
    result = []
    for o in objects:
        if o["polygon"]:
            points = np.array(o["polygon"] + o["polygon"][:1], float)
            where = np.linspace(0, len(points) - 1, 1000)
            points = np.stack([np.interp(where, np.arange(len(points)), points[:, k]) for k in (0, 1)], 1)
        else:
            x1, y1, x2, y2 = o["box"]
            points = np.array([[x1, y1], [x2, y2], [x1, y2], [x2, y1]])
        points = np.c_[points, np.ones(len(points))] @ m.T
        points = points[:, :2] / points[:, 2:] if is_perspective(plan) else points[:, :2]
        if o["polygon"]:
            inside = ((points >= 0) & (points <= [width, height])).all(1)
            if not inside.any():
                continue
            points = points[inside]
        box = np.r_[points.min(0), points.max(0)].clip(0, [width, height] * 2)
        if kept(box, o["box"], plan["scale"], 0.01 if o["polygon"] else 0.1):
            result.append(dict(classIndex=o["classIndex"], box=box.tolist(), polygon=[]))
    return result


PLANS = [
    dict(perspectiveX=0, perspectiveY=0, angle=0, scale=0.73, shearX=0, shearY=0, translateX=0.45, translateY=0.58),
    dict(perspectiveX=0, perspectiveY=0, angle=0, scale=1.41, shearX=0, shearY=0, translateX=0.5, translateY=0.41),
    dict(perspectiveX=0, perspectiveY=0, angle=-37.5, scale=1.1, shearX=6, shearY=-3, translateX=0.5, translateY=0.5),
    dict(perspectiveX=4e-4, perspectiveY=-9e-4, angle=12, scale=0.9, shearX=2, shearY=1, translateX=0.52, translateY=0.47),
    dict(perspectiveX=-0.004, perspectiveY=0.003, angle=0, scale=1, shearX=0, shearY=0, translateX=0.5, translateY=0.5),
]


def star(cx, cy, radius, count, phase=0.0):
    points = []
    for i in range(count):
        r = radius * (1 if i % 2 == 0 else 0.45)
        a = phase + 2 * math.pi * i / count
        points.append([round(cx + r * math.cos(a), 3), round(cy + r * math.sin(a), 3)])
    return points


def hull(polygon):
    xs, ys = [p[0] for p in polygon], [p[1] for p in polygon]
    return [min(xs), min(ys), max(xs), max(ys)]


def some_objects(w, h):
    boxes = [[5, 7, 40, 30], [w * 0.4, h * 0.3, w * 0.9, h * 0.8], [0, 0, w, 4], [w * 0.1, h * 0.7, w * 0.12, h * 0.9],
             [w * 0.7, h * 0.02, w * 0.99, h * 0.2], [0, 0, w, h]]
    objects = [dict(classIndex=i, box=b, polygon=[]) for i, b in enumerate(boxes)]
    for i, polygon in enumerate([star(w * 0.3, h * 0.4, w * 0.2, 10), star(w * 0.8, h * 0.7, w * 0.18, 7, 1.1),
                                 [[3, 3], [30, 5], [20, 28]]]):
        objects.append(dict(classIndex=10 + i, box=hull(polygon), polygon=polygon))
    return objects


def warps():
    cases = []
    for i, plan in enumerate(PLANS):
        w, h, width, height = [(96, 96, 48, 48), (70, 50, 61, 44)][i % 2]
        out = warped(noise(w, h, 7 + i), plan, width, height)
        objects = some_objects(w, h)
        cases.append(dict(plan=plan, w=w, h=h, width=width, height=height, seed=7 + i,
                          matrix=matrix(plan, w, h, width, height).reshape(-1).tolist(), pixels=encoded(out),
                          objects=objects, expected=transform(objects, plan, w, h, width, height)))
    return cases


def filled(polygons, w, h):
    mask = np.zeros((h, w), np.uint8)
    for polygon in polygons:
        cv2.drawContours(mask, [np.array(polygon).astype(np.int32)], -1, 1, cv2.FILLED)
    return mask


def masks():
    rng = np.random.default_rng(3)
    w, h = 60, 44
    cases = []
    for i in range(40):
        # Convex, concave and self-crossing outlines; the second half is clipped as a mosaic clips them, one pixel beyond
        # the image, where OpenCV clips the lines with an arithmetic of its own.
        points = rng.uniform(0, 1, (int(rng.integers(3, 9)), 2))
        points = points * [w - 0.01, h - 0.01] if i < 20 else np.clip(points * 80 - 10, 0, [w, h])
        polygon = np.round(points, 2).clip(0, [w, h]).tolist()
        cases.append(dict(width=w, height=h, polygon=polygon, isInside=i < 20,
                          bits=encoded(np.packbits(filled([polygon], w, h)))))
    return cases


def jittered(image, hue, saturation, value):
    h, s, v = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
    x = np.arange(0, 256, dtype=float)
    tables = [((x * hue) % 180), np.clip(x * saturation, 0, 255), np.clip(x * value, 0, 255)]
    merged = cv2.merge([cv2.LUT(c, t.astype(np.uint8)) for c, t in zip((h, s, v), tables)])
    return cv2.cvtColor(merged, cv2.COLOR_HSV2RGB)


def colours():
    steps = np.arange(0, 256, 5, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(1, -1, 3)
    hues = np.arange(0, 180, dtype=np.uint8)
    hsv = np.stack(np.meshgrid(hues, steps, steps, indexing="ij"), -1).reshape(1, -1, 3)
    # OpenCV truncates in its vector loop and rounds at the end of rows that are no multiple of a vector: use whole vectors.
    cases = [dict(w=64, h=20, seed=s, hue=h, saturation=a, value=v, pixels=encoded(jittered(noise(64, 20, s), h, a, v)))
             for s, h, a, v in [(1, 1.012, 0.45, 1.31), (2, 0.987, 1.66, 0.62), (3, 1.9, 1, 1)]]
    return dict(toHSV=checksum(cv2.cvtColor(grid, cv2.COLOR_RGB2HSV)), toRGB=checksum(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)),
                jitters=cases)


def mixed():
    a, b = noise(31, 17, 5), noise(31, 17, 6)
    return [dict(w=31, h=17, seeds=[5, 6], ratio=r, pixels=encoded((a * r + b * (1 - r)).astype(np.uint8)))
            for r in (0.5, 0.4371, 0.61803398875)]


def covered(box, other):
    w = min(box[2], other[2]) - max(box[0], other[0])
    h = min(box[3], other[3]) - max(box[1], other[1])
    return max(w, 0) * max(h, 0) / ((box[2] - box[0]) * (box[3] - box[1]) + 1e-16)


def copy_pasted(image, objects, order):
    h, w = image.shape[:2]
    mask, result = np.zeros((h, w), np.uint8), list(objects)
    for i in order:
        polygon, (x1, y1, x2, y2) = objects[i]["polygon"], objects[i]["box"]
        box = [w - x2, y1, w - x1, y2]
        if any(covered(o["box"], box) >= 0.3 for o in result):
            continue
        result.append(dict(classIndex=objects[i]["classIndex"], box=box, polygon=[[w - x, y] for x, y in polygon]))
        mask |= filled([polygon], w, h)
    pasted = cv2.flip(cv2.bitwise_and(image, image, mask=mask), 1)
    return np.where(pasted > 0, pasted, image), result


def copy_paste():
    w, h = 72, 56
    objects = [dict(classIndex=i, box=hull(p), polygon=p) for i, p in enumerate(
        [star(14, 14, 10, 8), star(20, 40, 12, 11, 0.3), [[50, 4], [70, 6], [60, 20]], [[2, 50], [8, 50], [8, 55]]])]
    cases = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1]):
        image, result = copy_pasted(noise(w, h, 11), objects, order)
        cases.append(dict(w=w, h=h, seed=11, order=order, objects=objects, pixels=encoded(image), expected=result))
    return cases


BOX = [np.float32(v) for v in (0.45, 0.5, 0.6, 0.7)]  # centre and sides, of every tile


def composed(s, xc, yc, tiles):
    """A mosaic by the slices of the four quarters, and the object of each tile."""
    canvas = np.full((2 * s, 2 * s, 3), 114, np.uint8)
    objects = []
    for i, image in enumerate(tiles):
        h, w = image.shape[:2]
        x1, y1 = (max(xc - w, 0) if i % 2 == 0 else xc), (max(yc - h, 0) if i < 2 else yc)
        x2, y2 = (xc if i % 2 == 0 else min(xc + w, 2 * s)), (yc if i < 2 else min(yc + h, 2 * s))
        left, top = (w - (x2 - x1) if i % 2 == 0 else 0), (h - (y2 - y1) if i < 2 else 0)
        canvas[y1:y2, x1:x2] = image[top:top + y2 - y1, left:left + x2 - x1]
        cx, cy, bw, bh = BOX
        box = [w * (cx - bw / 2) + x1 - left, h * (cy - bh / 2) + y1 - top,
               w * (cx + bw / 2) + x1 - left, h * (cy + bh / 2) + y1 - top]
        objects.append(dict(classIndex=i, box=np.clip(box, 0, 2 * s).tolist(), polygon=[]))
    return canvas, objects


def mosaic():
    s, xc, yc = 48, 41, 60
    sizes = [(48, 36), (30, 48), (48, 48), (48, 20)]
    canvas, objects = composed(s, xc, yc, [noise(w, h, 20 + i) for i, (w, h) in enumerate(sizes)])
    return dict(size=s, centreX=xc, centreY=yc, sizes=sizes, pixels=encoded(canvas), expected=objects)


def chains():
    """Whole samples of the default recipe: resized images, mosaic, transform, change of colours, mirrored or not."""
    cases = []
    s, sizes = 64, [(100, 80), (50, 64), (64, 64), (40, 31)]
    for i, (xc, yc, scale, tx, ty, hsv, flips) in enumerate([
            (41, 80, 0.61, 0.43, 0.58, (1.012, 0.45, 1.31), True), (70, 60, 1.37, 0.52, 0.41, (0.987, 1.66, 0.62), False)]):
        plan = dict(PLANS[0], scale=scale, translateX=tx, translateY=ty)
        tiles = []
        for k, (w, h) in enumerate(sizes):
            r = s / max(w, h)
            image = noise(w, h, 40 + 10 * i + k)
            tiles.append(cv2.resize(image, (int(w * r), int(h * r)), interpolation=cv2.INTER_LINEAR) if r != 1 else image)
        canvas, objects = composed(s, xc, yc, tiles)
        image = jittered(warped(canvas, plan, s, s), *hsv)
        objects = transform(objects, plan, 2 * s, 2 * s, s, s)
        if flips:
            image = np.fliplr(image)
            for o in objects:
                x1, y1, x2, y2 = o["box"]
                o["box"] = [s - x2, y1, s - x1, y2]
        cases.append(dict(plan=plan, size=s, centreX=xc, centreY=yc, sizes=sizes, seed=40 + 10 * i, hue=hsv[0],
                          saturation=hsv[1], value=hsv[2], flips=flips, pixels=encoded(image), expected=objects))
    return cases


def rectangles():
    rng = np.random.default_rng(8)
    sizes = [[int(a), int(b)] for a, b in rng.integers(60, 700, (23, 2))] + [[640, 480]] * 3 + [[1920, 1080]] * 2
    cases = []
    for batch, size, stride, pad in [(4, 640, 32, 0.5), (5, 320, 32, 0.0), (1, 640, 64, 0.5)]:
        aspects = np.array([h / w for w, h in sizes])
        order = aspects.argsort(kind="stable")
        shapes = []
        for start in range(0, len(order), batch):
            ar = aspects[order[start:start + batch]]
            shape = [ar.max(), 1] if ar.max() < 1 else [1, 1 / ar.min()] if ar.min() > 1 else [1, 1]
            shapes.append((np.ceil(np.array(shape) * size / stride + pad).astype(int) * stride).tolist())
        cases.append(dict(sizes=sizes, batch=batch, size=size, stride=stride, pad=pad, order=order.tolist(), shapes=shapes))
    return cases


def fit(anchors, sizes, threshold=4):
    """Best possible recall, anchors per object, fitness."""
    ratio = sizes[:, None] / anchors[None]
    x = np.minimum(ratio, 1 / ratio).min(2)
    best = x.max(1)
    return (best > 1 / threshold).mean(), (x > 1 / threshold).sum(1).mean(), (best * (best > 1 / threshold)).mean()


def anchors():
    """Scipy's k-means and the genetic search, on three groups of log-normal sizes."""
    from scipy.cluster.vq import kmeans
    rng = np.random.default_rng(12)
    sizes = np.concatenate([np.exp(rng.normal(np.log(centre), 0.5, (200, 2)))
                            for centre in ([12, 15], [60, 40], [140, 220])])
    sizes = np.round(sizes.clip(2, 640), 2)
    given = np.array([10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326], float).reshape(9, 2)
    recall, per_object, fitness = fit(given, sizes)
    deviation = sizes.std(0)
    best, _ = kmeans(sizes / deviation, 9, iter=30, rng=np.random.default_rng(5))
    best = best * deviation
    start = current = fit(best, sizes)[2]
    for _ in range(1000):
        v = np.ones(best.shape)
        while (v == 1).all():
            v = ((rng.random(v.shape) < 0.9) * rng.random() * rng.normal(size=v.shape) * 0.1 + 1).clip(0.3, 3)
        candidate = (best * v).clip(min=2)
        result = fit(candidate, sizes)[2]
        if result > current:
            best, current = candidate, result
    return dict(sizes=sizes.tolist(), anchors=given.tolist(), recall=recall, perObject=per_object, fitness=fitness,
                kMeansFitness=round(start, 6), evolvedFitness=round(current, 6))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="record the cases")
    arguments = parser.parse_args()
    computed = dict(resizeArea=resize_area(), warps=warps(), masks=masks(), colours=colours(), mixUps=mixed(),
                    copyPastes=copy_paste(), mosaic=mosaic(), chains=chains(), rectangles=rectangles(),
                    anchors=anchors())
    FIXTURES.mkdir(parents=True, exist_ok=True)
    different = 0
    for name, value in computed.items():
        path, text = FIXTURES / f"{name}.json", json.dumps(value, separators=(",", ":")) + "\n"
        if arguments.write:
            path.write_text(text)
        elif not path.exists() or json.loads(path.read_text()) != json.loads(text):
            different += 1
            print(f"{path}: differs from OpenCV {cv2.__version__}")
        else:
            print(f"{path.name}: as OpenCV {cv2.__version__} computes it")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
