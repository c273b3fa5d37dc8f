"""Writes small copies of CIFAR's Python version, as its authors did: Python 2, cPickle, protocol 2.

    python2.7 make_cifar.py

Needs Python 2.7 with numpy 1.16. The file batches.meta comes out with the bytes of the real one, whose MD5 sum
(5ff9c542aee3614f3951f8cda6e48888) is public. Byte i of image n, counted through all files of a data set, is
(37 i + 101 n) mod 256, in data_batch_2 mod 128, so that its array is text by chance. Its label is n mod the number
of classes.
"""
import cPickle
import hashlib
import os

import numpy

FOLDER = os.path.dirname(os.path.abspath(__file__))
first = 0


def pictures(count, modulus=256):
    global first
    rows = [[(37 * i + 101 * n) % modulus for i in range(3072)] for n in range(first, first + count)]
    first += count
    return numpy.array(rows, dtype=numpy.uint8), list(range(first - count, first))


def write(path, entries):
    text = cPickle.dumps(entries, 2)
    path = os.path.join(FOLDER, path)
    if not os.path.isdir(os.path.dirname(path)):
        os.makedirs(os.path.dirname(path))
    open(path, "wb").write(text)
    return text


names = "airplane automobile bird cat deer dog frog horse ship truck".split()
meta = write("cifar-10-batches-py/batches.meta", {"num_cases_per_batch": 10000, "label_names": names, "num_vis": 3072})
assert hashlib.md5(meta).hexdigest() == "5ff9c542aee3614f3951f8cda6e48888"
for batch in range(1, 7):
    data, numbers = pictures(2 if batch == 1 else 1, 128 if batch == 2 else 256)
    write("cifar-10-batches-py/" + ("test_batch" if batch == 6 else "data_batch_%d" % batch), {
        "batch_label": "testing batch 1 of 1" if batch == 6 else "training batch %d of 5" % batch,
        "labels": [n % 10 for n in numbers],
        "data": data,
        "filenames": ["picture_s_%06d.png" % n for n in numbers],
    })

first = 0
write("cifar-100-python/meta", {
    "fine_label_names": ["fine %d" % n for n in range(100)],
    "coarse_label_names": ["coarse %d" % n for n in range(20)],
})
for split, count in (("train", 2), ("test", 1)):
    data, numbers = pictures(count)
    write("cifar-100-python/" + split, {
        "batch_label": split,
        "fine_labels": [n % 100 for n in numbers],
        "coarse_labels": [n % 20 for n in numbers],
        # The real one lies row-major, too; column-major arrays are read as well.
        "data": numpy.asfortranarray(data) if split == "train" else data,
        "filenames": ["picture_s_%06d.png" % n for n in numbers],
    })
