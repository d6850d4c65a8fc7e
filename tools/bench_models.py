#!/usr/bin/env python3
"""Times networks on the CPU: OpenCV alone, with irmb_dnn, and ONNX Runtime, taking turns.

    tools/bench_models.py MODEL.onnx... [--bin build/bin] [--json FILE]
    tools/bench_models.py --blocks [--bin build/bin] [--json FILE]

--blocks times single iRMBs: the decomposed graph in OpenCV and ONNX Runtime, and the fused layer.

Medians of forward passes on random input. Each round runs every candidate once, so that what
disturbs the machine disturbs all of them. ONNX Runtime takes part where this Python has it.
"""
import argparse
import json
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

PAUSE_S = 0.03  # lets the idle threads of the last candidate fall asleep


class Server:
    """A process that holds a network and runs it once for each line that it gets."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        self.error = "" if line else self.process.stderr.read().strip()
        self.load_ms = float(line or 0)

    def run_ms(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def peak_mb(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        return 0.0

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def serve_onnxruntime(model, threads):
    """The other end of Server for ONNX Runtime."""
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    start = time.perf_counter()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    print((time.perf_counter() - start) * 1e3, flush=True)
    first = session.get_inputs()[0]
    shape = [side if isinstance(side, int) else 1 for side in first.shape]
    image = numpy.random.default_rng(1).random(shape, numpy.float32)
    for _ in sys.stdin:
        start = time.perf_counter()
        session.run(None, {first.name: image})
        print((time.perf_counter() - start) * 1e3, flush=True)


def onnxruntime_version():
    try:
        import onnxruntime
    except ImportError:
        return None
    return onnxruntime.__version__


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), "")


def measure(model, threads, options):
    """Rows {name, median_ms, min_ms, load_ms, peak_mb} of one model."""
    modes = {"OpenCV": "plain", "fused": "auto"} if options.blocks else \
        {"OpenCV": "plain", "fused": "off", "accelerated": "auto"}
    if options.bf16:
        modes["bf16"] = "bf16"
    server = str(options.bin / "pass_server")
    candidates = {name: Server([server, model, mode, str(threads)])
                  for name, mode in modes.items()}
    if onnxruntime_version():
        candidates["ONNX Runtime"] = Server(
            [sys.executable, __file__, "--onnxruntime", model, str(threads)])
    for name, candidate in candidates.items():
        if candidate.error:
            sys.exit(f"{name}: {candidate.error}")
    times = {name: [] for name in candidates}
    for number in range(options.rounds + 2):
        for name, candidate in candidates.items():
            time.sleep(PAUSE_S)
            candidate.run_ms()  # wakes its own threads
            passed_ms = candidate.run_ms()
            if number >= 2:  # the first ones warm up
                times[name].append(passed_ms)
    rows = [{"name": name, "median_ms": statistics.median(times[name]), "min_ms": min(times[name]),
             "load_ms": candidate.load_ms, "peak_mb": candidate.peak_mb()}
            for name, candidate in candidates.items()]
    for candidate in candidates.values():
        candidate.close()
    return rows


def print_table(model, threads, rows):
    print(f"\n{pathlib.Path(model).name}, threads: {threads}")
    print(f"{'':14}{'median':>10}{'min':>10}{'ratio':>8}{'load':>10}{'peak':>10}")
    base = rows[-1]["median_ms"]
    for row in rows:
        print(f"{row['name']:14}{row['median_ms']:7.2f} ms{row['min_ms']:7.2f} ms"
              f"{row['median_ms'] / base:8.2f}{row['load_ms']:7.0f} ms{row['peak_mb']:7.0f} MB")
    print(f"ratio: of the medians, to {rows[-1]['name']}")


def measure_all(options):
    results = []
    for model in options.models:
        for threads in options.threads:
            rows = measure(model, threads, options)
            print_table(model, threads, rows)
            results.append({"model": pathlib.Path(model).name, "threads": threads,
                            "candidates": rows})
    return results


def main():
    if sys.argv[1:2] == ["--onnxruntime"]:
        return serve_onnxruntime(sys.argv[2], int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL.onnx")
    parser.add_argument("--blocks", action="store_true", help="time single iRMBs")
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path("build/bin"),
                        help="folder of the programs of the build")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    if bool(options.models) == options.blocks:
        parser.error("name models, or --blocks")
    if not (options.bin / "pass_server").exists():
        parser.error(f"{options.bin} has no pass_server: build with the tests (tools/test.sh), or "
                     "name another folder with --bin")
    with tempfile.TemporaryDirectory() as folder:
        if options.blocks:
            subprocess.run([options.bin / "block_models", folder], check=True)
            options.models = sorted(map(str, pathlib.Path(folder).iterdir()),
                                    key=lambda path: (len(path), path))
        results = measure_all(options)
    if options.json:
        facts = {"processor": processor(), "onnxruntime": onnxruntime_version(),
                 "date": time.strftime("%Y-%m-%d"), "results": results}
        pathlib.Path(options.json).write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
