"""Seconds until the command line responds, compared with `import torch` alone."""

import subprocess
import sys
import time

COMMANDS = {
    "python -c 'import torch'": ["-c", "import torch"],
    "plantdisease.train --help": ["-m", "projects.plantdisease.train", "--help"],
    "plantdisease.train with a misspelt key": ["-m", "projects.plantdisease.train", "--training.epoch", "3"],
}


def seconds(words: list[str]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], capture_output=True, check=False)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    rows = {name: seconds(words) for name, words in COMMANDS.items()}
    base = next(iter(rows.values()))
    for name, value in rows.items():
        print(f"  {name:<42}{value:6.2f} s   {value / base:5.2f} x")


if __name__ == "__main__":
    main()
