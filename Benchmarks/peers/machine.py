"""Describes this machine and measures how much of it other programs use."""
import importlib.metadata
import os
import platform
import resource
import subprocess

TICK = os.sysconf("SC_CLK_TCK")


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "none"


def describe():
    with open("/proc/cpuinfo") as f:
        facts = dict(map(str.strip, line.split(":", 1)) for line in f if ":" in line)
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) * 1024
    flags = facts.get("flags", "").split()
    vectors = next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "")
    return {"cpu": facts.get("model name", platform.processor()), "family": facts.get("cpu family", ""),
            "model": facts.get("model", ""), "vectors": vectors, "bf16": "avx512_bf16" in flags,
            "cpus": len(os.sched_getaffinity(0)), "memory_bytes": memory, "kernel": platform.release().split("-")[0],
            "clang": first_line(["clang", "--version"]), "gcc": first_line(["gcc", "--version"])}


def versions(packages):
    found = {}
    for package in packages:
        distribution = importlib.metadata.distribution(package)
        size = sum(f.locate().stat().st_size for f in distribution.files or [] if f.locate().is_file())
        found[package] = {"version": distribution.version, "installed_bytes": size}
    return {"python": {"version": platform.python_version()}, **found}


def busy():
    """Processor seconds that all programs of this machine have used so far, and stolen ones."""
    with open("/proc/stat") as f:
        user, nice, system, _, _, irq, softirq, steal = map(int, f.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICK


def used_by(pid):
    """Processor seconds of one process and all its threads."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def used_here():
    """Processor seconds of this process and of its finished children."""
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
