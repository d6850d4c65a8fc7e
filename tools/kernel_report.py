#!/usr/bin/env python3
"""Registers, stack and static shared memory of every CUDA kernel, as a table in Markdown.

  tools/kernel_report.py [--archs 75,86,90] [--jobs 2]

Compiles dnn_layers/cuda/*.cu with nvcc and reads what ptxas says; takes no GPU. The kernels' dynamic
shared memory depends on the block and is not in it.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)\w*'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")


def find_nvcc():
    nvcc = shutil.which("nvcc") or shutil.which(
        "nvcc", path=os.environ.get("CUDA_PATH", "/usr/local/cuda") + "/bin")
    if not nvcc:
        sys.exit("kernel_report: nvcc was not found; install the CUDA toolkit or set CUDA_PATH")
    return nvcc


def compiler_report(nvcc, source, archs):
    """What ptxas says of one source for all architectures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [nvcc, "-fatbin", "-std=c++17", "-O3", "-Xptxas", "-v",
                   f"-I{ROOT / 'dnn_layers'}", f"-I{ROOT / 'dnn_layers/include'}",
                   *(f"-gencode=arch=compute_{arch},code=sm_{arch}" for arch in archs),
                   "-o", f"{folder}/out.fatbin", str(source)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"kernel_report: {source.name} does not compile:\n{done.stdout}")
    return done.stdout


def parse(report):
    """Yields (mangled name, architecture, figures) for every kernel of a report."""
    entry, figures = None, {}
    for line in report.splitlines():
        if found := ENTRY.search(line):
            entry, figures = found.groups(), {}
        elif found := STACK.search(line):
            stack, stores, loads = map(int, found.groups())
            figures = {"stack": stack, "spilled": stores + loads}
        elif entry and (found := USED.search(line)):
            shared = SHARED.search(line)
            figures["registers"] = int(found[1])
            figures["shared"] = int(shared[1]) if shared else 0
            yield *entry, figures
            entry = None


def readable(names):
    """Names without namespaces and parameters."""
    text = subprocess.run(["c++filt"], input="\n".join(names), stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    short = re.compile(r"irmb::cuda::|\(anonymous namespace\)::|^void ")
    return [re.sub(r"\)\d|\((?:int|bool)\)", "", short.sub("", line)).split(">(")[0].replace(
        "(GateArgs)", "") + (">" if ">(" in line else "") for line in text.splitlines()]


def figure(figures):
    text = str(figures["registers"])
    if figures["shared"]:
        text += f", {figures['shared']} B shared"
    if figures["stack"] or figures["spilled"]:
        text += f", {figures['stack']} B stack, {figures['spilled']} B spilled"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archs", default="75,86,90", metavar="LIST")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    options = parser.parse_args()
    archs = options.archs.split(",")
    nvcc = find_nvcc()
    sources = sorted((ROOT / "dnn_layers/cuda").glob("*.cu"))
    kernels = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for report in pool.map(lambda source: compiler_report(nvcc, source, archs), sources):
            for name, arch, figures in parse(report):
                kernels.setdefault(name, {})[arch] = figures
    print("| kernel | " + " | ".join(f"sm_{arch}" for arch in archs) + " |")
    print("|---" * (len(archs) + 1) + "|")
    for name, figures in sorted(zip(readable(kernels), kernels.values())):
        print(f"| `{name}` | " + " | ".join(figure(figures[arch]) for arch in archs) + " |")


if __name__ == "__main__":
    main()
