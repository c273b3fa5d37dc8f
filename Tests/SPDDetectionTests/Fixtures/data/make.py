"""Makes the images of this folder, with Pillow 11 and NumPy. Each has 24x14 pixels before its EXIF rotation."""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

here = Path(__file__).parent
y, x = np.mgrid[0:14, 0:24]
pixels = np.stack([x * 10, y * 18, (x * 7 + y * 11) % 256], -1).astype(np.uint8)
image = Image.fromarray(pixels)


def exif(orientation, big):
    mark, order = (b"MM", ">") if big else (b"II", "<")
    return mark + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


for orientation in range(1, 9):
    block = b"Exif\0\0" + exif(orientation, big=orientation % 2 == 0)
    image.save(here / f"exif{orientation}.jpg", quality=90, exif=block)
image.save(here / "progressive.jpg", progressive=True, comment=b"x" * 30000, icc_profile=b"p" * 40000)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


image.save(here / "plain.png")
png = (here / "plain.png").read_bytes()
header, rest = png[:33], png[33:]
(here / "exif-first.png").write_bytes(header + chunk(b"eXIf", exif(6, True)) + rest)
(here / "exif-last.png").write_bytes(png[:-12] + chunk(b"eXIf", exif(8, False)) + png[-12:])

image.save(here / "rgb24.bmp")
image.convert("L").save(here / "grey8.bmp")
bmp = bytearray((here / "rgb24.bmp").read_bytes())
rows = [bytes(bmp[54 + i * 72 : 54 + (i + 1) * 72]) for i in range(14)]
bmp[22:26] = struct.pack("<i", -14)
(here / "top-down.bmp").write_bytes(bytes(bmp[:54]) + b"".join(reversed(rows)))
image.convert("RGBA").save(here / "rgba32.bmp")
# Red first, by masks: the header grows by three numbers.
bgra = np.dstack([pixels, np.full((14, 24), 255, np.uint8)])[::-1]
head = struct.pack("<2sIHHI", b"BM", 66 + bgra.nbytes, 0, 0, 66)
head += struct.pack("<IiiHHIIiiII", 40, 24, 14, 1, 32, 3, bgra.nbytes, 0, 0, 0, 0)
(here / "masks32.bmp").write_bytes(head + struct.pack("<III", 0xFF, 0xFF00, 0xFF0000) + bgra.tobytes())
for bits in (8, 4, 1):
    palette = image.quantize(2**bits)
    palette.convert("RGB").save(here / f"palette{bits}.png")
    indices = np.asarray(palette)
    colours = np.array(palette.getpalette()[: 3 * 2**bits] + [0] * (3 * 2**bits), np.uint8)[: 3 * 2**bits].reshape(-1, 3)
    table = b"".join(bytes([b, g, r, 0]) for r, g, b in colours)
    rows = []
    for row in indices[::-1]:
        packed = np.packbits(np.unpackbits(row[:, None].astype(np.uint8), axis=1)[:, 8 - bits :].reshape(-1)).tobytes()
        rows.append(packed + bytes(-len(packed) % 4))
    start = 54 + len(table)
    head = struct.pack("<2sIHHI", b"BM", start + sum(map(len, rows)), 0, 0, start)
    head += struct.pack("<IiiHHIIiiII", 40, 24, 14, 1, bits, 0, 0, 0, 0, 0, 0)
    (here / f"palette{bits}.bmp").write_bytes(head + table + b"".join(rows))
image.save(here / "image.webp", lossless=True)
image.save(here / "image.tif")
