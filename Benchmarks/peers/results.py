"""Stores the raw results in one JSON file, written atomically after every step, so that an interrupted run keeps them."""
import json
import os


class Results:
    def __init__(self, path):
        self.path = path
        self.data = json.loads(path.read_text()) if path.exists() else {}

    def about(self, **facts):
        """Facts that hold for the whole file. Results of another machine or version are refused."""
        for key, value in facts.items():
            known = self.data.setdefault(key, value)
            if known != value:
                raise SystemExit(f"{self.path} has results with another {key}: {describe(known, value)}.\n"
                                 f"Give --fresh to start again, or --json FILE to write another file.")
        self.data.setdefault("cases", {})

    def case(self, key):
        return self.data["cases"].get(key)

    def put(self, key, value):
        self.data["cases"][key] = value
        self.save()

    def save(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(self.data, indent=1) + "\n")
        os.replace(partial, self.path)


def describe(known, value):
    if isinstance(known, dict) and isinstance(value, dict):
        keys = [k for k in sorted({*known, *value}) if known.get(k) != value.get(k)]
        return ", ".join(f"{k} {known.get(k)} in the file and {value.get(k)} now" for k in keys)
    return f"{known} in the file and {value} now"
