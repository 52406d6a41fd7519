"""What benchmarks/compare stored, by case, dtype and contender, at one number of threads."""
import json


class Results:
    def __init__(self, about, records, threads):
        self.about, self.threads = about, threads
        self.by_case = {}
        for r in records:
            if r["threads"] == threads:
                self.by_case.setdefault((r["case"], r["dtype"]), []).append(r)

    def ours(self, case, dtype):
        return self.fastest(case, dtype, ("voxgrad",))

    def fastest(self, case, dtype, names, key="seconds"):
        """The record with the least `key` among the contenders named; None where none was measured."""
        found = [r for r in self.by_case.get((case, dtype), []) if r["who"] in names and key in r]
        return min(found, key=lambda r: r[key], default=None)

    def cases(self, prefix, dtype):
        return [case for case, t in self.by_case if t == dtype and case.startswith(prefix)]

    def rate(self, case, dtype, names):
        """GFLOP/s of the fastest; None where nothing was measured or counted."""
        r = self.fastest(case, dtype, names)
        return r["flops"] / r["seconds"] * 1e-9 if r and r["flops"] else None


def load(path, threads=None):
    stored = json.loads(path.read_text())
    return Results(stored["about"], stored["results"], threads or max(r["threads"] for r in stored["results"]))
