"""Milliseconds of one training step of an LSTM that runs with `nice` while another program keeps a core busy: threads
that wait for each other as GNU's OpenMP does by default, as `shared.command` sets it, and one thread."""

import os
import subprocess
import sys

STEP = """
import time, torch
lstm, inputs = torch.nn.LSTM(100, 128, batch_first=True, bidirectional=True), torch.randn(32, 60, 100)
def step():
    lstm(inputs)[0].sum().backward()
step()
start = time.perf_counter()
for _ in range(10):
    step()
print((time.perf_counter() - start) / 10 * 1000)
"""
BUSY = "while True: pass"
WAYS = {
    "threads, waiting as by default": {},
    "threads, waiting as set here": {"GOMP_SPINCOUNT": "1000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}


def milliseconds(settings: dict[str, str]) -> float:
    environment = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_NUM_THREADS")} | settings
    done = subprocess.run(
        ["nice", "-n", "10", sys.executable, "-c", STEP], env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    if sys.platform != "linux":
        raise SystemExit("waiting: the setting is one of GNU's OpenMP, which PyTorch uses on Linux")
    quiet = {name: milliseconds(settings) for name, settings in WAYS.items()}
    with subprocess.Popen([sys.executable, "-c", BUSY]) as other:
        try:
            busy = {name: milliseconds(settings) for name, settings in WAYS.items()}
        finally:
            other.kill()
    base = next(iter(quiet))
    for name in WAYS:
        print(f"  {name:<32}{quiet[name]:8.1f} ms idle, {quiet[name] / quiet[base]:.2f} x"
              f"{busy[name]:10.1f} ms beside a busy core, {busy[name] / busy[base]:.2f} x")  # fmt: skip


if __name__ == "__main__":
    main()
