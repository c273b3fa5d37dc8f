"""Means, spreads and paired differences of runs that differ in the seed."""
import statistics


# Two-sided 95 % quantiles of Student's t for 2, 3, … values; beyond the last, about 2.
T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


class Group:
    """The runs of one network on one data set: a value per seed."""

    def __init__(self, values):
        self.values = dict(sorted(values.items()))

    @property
    def mean(self):
        return statistics.mean(self.values.values())

    @property
    def spread(self):
        """Standard deviation of the sample; 0 of one seed."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else 0

    def text(self):
        return f"{self.mean:.1f} ± {self.spread:.1f}" if self.values else "–"


class Difference:
    """Ours minus theirs, seed by seed: the same seed orders and augments the images of both alike."""

    def __init__(self, ours, theirs):
        both = ours.values.keys() & theirs.values.keys()
        self.values = Group({seed: ours.values[seed] - theirs.values[seed] for seed in both})

    @property
    def interval(self):
        """Half of the 95 % confidence interval of the mean difference; None of one seed."""
        count = len(self.values.values)
        return T95[min(count, len(T95) + 1) - 2] * self.values.spread / count ** 0.5 if count > 1 else None

    @property
    def verdict(self):
        """`better` or `worse` only where the confidence interval excludes 0."""
        if self.interval is None or abs(self.values.mean) <= self.interval:
            return "undecided"
        return "better" if self.values.mean > 0 else "worse"

    def text(self):
        if not self.values.values:
            return "–"
        interval = "" if self.interval is None else f" ± {self.interval:.1f}"
        return f"{self.values.mean:+.1f}{interval} ({self.verdict})"


def final_gain(curve):
    """Change of a curve from the last measurement but one to the last, and the epochs between; None if there is one only."""
    if len(curve) < 2:
        return None
    (before, low), (after, high) = curve[-2:]
    return high - low, after - before


def late_gain(curve):
    """Change of a curve in its last fifth: the mean of that fifth minus that of the fifth before; None if it is short."""
    fifth = len(curve) // 5
    if fifth == 0:
        return None
    values = [value for _, value in curve]
    return statistics.mean(values[-fifth:]) - statistics.mean(values[-2 * fifth:-fifth])
