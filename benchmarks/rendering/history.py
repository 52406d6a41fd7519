"""Whether the kernels of today are those of a commit, by the history of the repository."""
import functools
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# What runs on a GPU, and what it is launched by: without the CPU's kernels, tests and texts.
PATHS = ("kernels", "core", ":(exclude)*.md", ":(exclude)*_unit.cpp", ":(exclude)*_cases.cpp", ":(exclude)*_cpu.cpp", ":(exclude)*_isa*")


@functools.cache
def changed_since(commit, root=ROOT):
    """True, False, or None where the history does not tell. Of the files as they lie here, committed or not."""
    def git(*arguments):
        try:
            return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
        except OSError:
            return subprocess.CompletedProcess(arguments, -1, "")

    top = git("rev-parse", "--show-prefix")  # a copy within another repository has no history of its own
    if not commit or top.returncode != 0 or top.stdout.strip() or git("cat-file", "-e", f"{commit}^{{commit}}").returncode != 0:
        return None
    return {0: False, 1: True}.get(git("diff", "--quiet", commit, "--", *PATHS).returncode)


def words(commit, root=ROOT):
    """ "commit 0123456", and what became of its kernels."""
    changed = changed_since(commit, root)
    short = f"commit {commit[:7]}" if commit else "an unknown commit"
    return short + {True: ", before the kernels changed", False: "", None: "; whether the kernels changed since is unknown"}[changed]
