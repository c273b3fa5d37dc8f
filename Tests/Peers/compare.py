"""Compare two arrays: python compare.py A.npy B.npy --abs 5e-4 --rel 1e-5

B is the reference. Fails where |A − B| > abs + rel·|B|, where either is not finite, and where the shapes differ.
"""
import argparse
import sys

import numpy as np


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("a", metavar="A.npy")
    p.add_argument("b", metavar="B.npy")
    p.add_argument("--abs", type=float, default=5e-4)
    p.add_argument("--rel", type=float, default=1e-5)
    o = p.parse_args()
    a, b = (np.load(f).astype(np.float64) for f in (o.a, o.b))
    if a.shape != b.shape:
        sys.exit(f"shapes differ: {a.shape} and {b.shape}")
    if a.size == 0:
        sys.exit("both are empty")
    finite = np.isfinite(a) & np.isfinite(b)
    if not finite.all():
        i = tuple(int(k) for k in np.argwhere(~finite)[0])
        sys.exit(f"{(~finite).sum()} elements are not finite, first at {i}: {a[i]} and {b[i]}")
    delta = np.abs(a - b)
    limit = o.abs + o.rel * np.abs(b)
    # The worst is the one nearest to, or farthest beyond, its own limit; max|Δ| may lie elsewhere, where |B| is large.
    share = np.divide(delta, limit, out=np.where(delta > 0, np.inf, 0.0), where=limit > 0)
    i = tuple(int(k) for k in np.unravel_index(np.argmax(share), share.shape))
    bad = int((delta > limit).sum())
    print(f"max|Δ| {delta.max():.3e}; worst at {i}: {a[i]:.9g} and {b[i]:.9g}, |Δ| {delta[i]:.3e}, "
          f"limit {limit[i]:.3e}; {bad} of {a.size} beyond the limit")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
