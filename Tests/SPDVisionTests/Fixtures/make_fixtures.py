#!/usr/bin/env python3
"""Records what OpenCV and a plain numpy NMS give, for the Swift tests. Needs opencv-python-headless, numpy, pillow,
and cjpeg of libjpeg-turbo.

Run it in this folder. Images that are only input are not stored: both sides draw the same noise from a small
generator. Checked with OpenCV 4.14 and 5.0, which agree.
"""
import base64
import io
import json
import struct
import subprocess
import zlib

import cv2
import numpy as np
from PIL import Image


def text(data):
    return base64.b64encode(bytes(data)).decode()


def uniform(count, seed):
    """Numbers in 0...2^24 - 1 of the generator that the tests have, too."""
    out, x = [], seed
    for _ in range(count):
        x = (x * 1664525 + 1013904223) % 2**32
        out.append(x >> 8)
    return np.array(out)


def noise(width, height, seed):
    return (uniform(width * height * 3, seed) >> 16).astype(np.uint8).reshape(height, width, 3)


def dump(name, value):
    with open(name, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(v) for v in value) + "\n]\n")


# Resizing: up, down, one side only, one pixel, exact halves (a case of its own in OpenCV), half of one side, thirds.
resizes = []
for i, (w, h, ow, oh) in enumerate([
        (7, 5, 16, 11), (33, 21, 10, 8), (9, 6, 9, 13), (9, 6, 4, 6), (1, 1, 5, 4), (1, 9, 3, 4), (8, 1, 3, 2), (20, 14, 10, 7),
        (20, 14, 10, 6), (27, 18, 9, 6), (64, 48, 3, 2), (5, 5, 6, 6), (2, 2, 1, 1), (3, 2, 17, 2), (100, 3, 13, 9)]):
    out = cv2.resize(noise(w, h, i), (ow, oh), interpolation=cv2.INTER_LINEAR)
    resizes.append({"width": w, "height": h, "seed": i, "newWidth": ow, "newHeight": oh, "pixels": text(out)})
dump("resize.json", resizes)


# Letterbox, by the facts of the reference: r, rounding half to even, -0.1 / +0.1, fill 114.
def letterbox(im, height, width, auto, stride, scale_up):
    h, w = im.shape[:2]
    r = min(height / h, width / w)
    r = r if scale_up else min(r, 1.0)
    nw, nh = round(w * r), round(h * r)
    dw, dh = width - nw, height - nh
    if auto:
        dw, dh = dw % stride, dh % stride
    dw, dh = dw / 2, dh / 2
    if (nw, nh) != (w, h):
        im = cv2.resize(im, (nw, nh), interpolation=cv2.INTER_LINEAR)
    im = cv2.copyMakeBorder(im, round(dh - 0.1), round(dh + 0.1), round(dw - 0.1), round(dw + 0.1),
                            cv2.BORDER_CONSTANT, value=(114, 114, 114))
    return im, dw, dh


boxes = []
for i, (w, h, height, width, auto, stride, up) in enumerate([
        (20, 13, 16, 16, False, 32, True), (13, 20, 16, 16, False, 32, True), (10, 5, 24, 24, False, 32, True),
        (10, 5, 24, 24, False, 32, False), (30, 17, 16, 16, True, 4, True), (30, 16, 16, 24, True, 4, True),
        (7, 7, 16, 16, True, 4, False), (16, 16, 16, 16, False, 32, True), (25, 9, 10, 16, False, 32, True),
        (37, 29, 12, 20, True, 2, True)]):
    out, dw, dh = letterbox(noise(w, h, 100 + i), height, width, auto, stride, up)
    boxes.append({"width": w, "height": h, "seed": 100 + i, "targetHeight": height, "targetWidth": width, "auto": auto,
                  "stride": stride, "scaleUp": up, "padX": dw, "padY": dh, "newWidth": out.shape[1],
                  "newHeight": out.shape[0], "pixels": text(out)})
dump("letterbox.json", boxes)

# Decoding: files of all kinds with the pixels that imread gives.
files = []


def add(name, data):
    out = cv2.imdecode(np.frombuffer(bytes(data), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    files.append({"name": name, "file": text(data), "width": out.shape[1], "height": out.shape[0], "pixels": text(out)})


def jpeg(array, mode="RGB", **options):
    out = io.BytesIO()
    Image.fromarray(array, mode).save(out, "JPEG", **options)
    return out.getvalue()


def exif(orientation, order="MM"):
    f = {"MM": ">", "II": "<"}[order]
    block = order.encode() + struct.pack(f + "HI", 42, 8) + struct.pack(f + "HHHIHHI", 1, 0x112, 3, 1, orientation, 0, 0)
    return block


def with_exif(data, block):
    body = b"Exif\0\0" + block
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


y, x = np.mgrid[0:13, 0:18]
scene = np.stack([x * 14, y * 19, (x * y * 5) % 256], -1).astype(np.uint8)
scene[3:8, 4:9] = (250, 20, 30)
for name, subsampling in [("4:4:4", 0), ("4:2:2", 1), ("4:2:0", 2)]:
    add(f"jpeg {name}", jpeg(scene, quality=90, subsampling=subsampling))
add("jpeg progressive", jpeg(scene, quality=80, progressive=True))
add("jpeg grey", jpeg(scene[..., 1].copy(), "L", quality=85))
cmyk = np.concatenate([scene, (255 - scene[..., :1] // 2)], -1)
add("jpeg CMYK", jpeg(cmyk, "CMYK", quality=92))
add("jpeg RGB", jpeg(scene, quality=90, keep_rgb=True))
add("jpeg restart", jpeg(scene, quality=90, restart_marker_blocks=1))
ok, odd = cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x411111])
add("jpeg 4:1:1", odd.tobytes())
# A chroma layout without a name; only cjpeg (libjpeg-turbo-progs) writes such.
ppm = b"P6 18 13 255\n" + scene.tobytes()
add("jpeg 2x2,1x2,2x1", subprocess.run(["cjpeg", "-sample", "2x2,1x2,2x1"], input=ppm, capture_output=True).stdout)
small = jpeg(scene[:5, :8].copy(), quality=90, subsampling=0)
for orientation in range(0, 10):
    add(f"exif {orientation}", with_exif(small, exif(orientation, "II" if orientation % 2 else "MM")))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, rows, extra=b"", interlace=0):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + bytes(r) for r in rows), 9)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b""))


for depth in (1, 2, 4, 8, 16):
    rows = noise(depth * 2, 3, depth)[..., 0]
    add(f"png grey {depth}", png(16, 3, depth, 0, rows))
    if depth < 16:
        palette = noise(1 << depth, 1, 50 + depth).tobytes()
        add(f"png palette {depth}", png(16, 3, depth, 3, rows, chunk(b"PLTE", palette) + chunk(b"tRNS", b"\0\x80")))
for depth in (8, 16):
    for colour, channels, kind in [(2, 3, "rgb"), (4, 2, "grey-alpha"), (6, 4, "rgba")]:
        rows = uniform(5 * 4 * channels * depth // 8, colour * depth).reshape(4, -1) >> 16
        add(f"png {kind} {depth}", png(5, 4, depth, colour, rows.astype(np.uint8)))
rows = noise(5, 4, 9).reshape(4, -1)
add("png gamma", png(5, 4, 8, 2, rows, chunk(b"gAMA", struct.pack(">I", 100000))))
add("png transparent grey", png(15, 4, 8, 0, rows, chunk(b"tRNS", b"\0\x07")))
add("png exif 6", png(5, 4, 8, 2, rows, chunk(b"eXIf", exif(6))))
# Interlaced, 2×2: the passes hold the pixels (0,0), (1,0), and the row below.
add("png interlaced", png(2, 2, 8, 2, [b"\1\2\3", b"\4\5\6", b"\7\x08\x09\x0a\x0b\x0c"], b"", 1))
dump("decode.json", files)


def short(value):
    """The shortest decimal that is this float32."""
    return float(str(np.float32(value)))


# NMS: the whole IoU matrix at once, class by class, in float32.
def nms(rows, classes, confidence, iou, limit, multi, agnostic, keep):
    candidates = []
    for row in rows:
        if not row[4] > np.float32(confidence):
            continue
        scores = row[4] * row[5:]
        box = np.array([row[0] - row[2] / 2, row[1] - row[3] / 2, row[0] + row[2] / 2, row[1] + row[3] / 2], np.float32)
        chosen = range(classes) if multi else [int(np.argmax(scores))]
        for c in chosen:
            if scores[c] > np.float32(confidence) and (keep is None or c in keep):
                candidates.append((float(scores[c]), c, box))
    found = []
    for group in [None] if agnostic else sorted({c for _, c, _ in candidates}):
        ids = [i for i, v in enumerate(candidates) if group is None or v[1] == group]
        ids.sort(key=lambda i: -candidates[i][0])  # stable
        b = np.array([candidates[i][2] for i in ids], np.float32).reshape(-1, 4)
        area = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
        low, high = np.maximum(b[:, None, :2], b[None, :, :2]), np.minimum(b[:, None, 2:], b[None, :, 2:])
        inter = np.prod(np.maximum(high - low, np.float32(0)), -1)
        matrix = inter / (area[:, None] + area[None] - inter)
        alive = np.ones(len(ids), bool)
        for n in range(len(ids)):
            if alive[n]:
                alive[n + 1:] &= ~(matrix[n, n + 1:] > np.float32(iou))
                found.append(ids[n])
    found.sort(key=lambda i: (-candidates[i][0], i))
    return [(candidates[i][1], short(candidates[i][0]), [short(v) for v in candidates[i][2]]) for i in found[:limit]]


cases = []
for i, (count, classes, conf, iou, limit, multi, agnostic, keep) in enumerate([
        (60, 3, 0.25, 0.45, 1000, False, False, None), (60, 3, 0.1, 0.3, 1000, True, False, None),
        (80, 4, 0.05, 0.45, 1000, True, True, None), (80, 5, 0.05, 0.6, 12, False, False, None),
        (80, 4, 0.05, 0.45, 1000, False, False, [1, 3]), (40, 1, 0.25, 0.45, 1000, True, False, None),
        (60, 2, 0.001, 0.6, 40, True, False, None)]):
    u = (uniform(count * (5 + classes), 1000 + i) / 2**24).astype(np.float32).reshape(count, -1)
    u[:, :2] *= np.float32(64)
    u[:, 2:4] = u[:, 2:4] * np.float32(40) + np.float32(4)
    u[count // 2, 5:] = u[0, 5:]
    u[count // 2, 4] = u[0, 4]  # equal scores
    found = nms(u, classes, conf, iou, limit, multi, agnostic, keep)
    cases.append({"count": count, "classes": classes, "confidence": conf, "iou": iou, "limit": limit, "multiLabel": multi,
                  "agnostic": agnostic, "keep": keep, "seed": 1000 + i,
                  "found": [{"classIndex": c, "score": s, "box": b} for c, s, b in found]})
dump("nms.json", cases)
