#!/usr/bin/env python3
"""Checks and times Vigil on this machine's NVIDIA GPU: one table, and everything as JSON.

  tools/gpu_check.py --model best.onnx --output results.json
  tools/gpu_check.py --bundle check.tar.gz --model best.onnx     on the machine that builds
  tar -xzf check.tar.gz && vigil-gpu-check/tools/gpu_check.py    on the machine with the GPU

Without --prebuilt, and outside of a bundle, it builds OpenCV with CUDA (once) and Vigil first.
Needs only Python's standard library; PyTorch and compute-sanitizer are used where they are.
"""
import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = "gpu_bench"
KERNEL_TESTS = "irmb_cuda_gpu_test"
PROGRAMS = (BENCH, KERNEL_TESTS)
BUNDLE_NAME = "vigil-gpu-check"
BUNDLE_LIMIT_BYTES = 64 << 20
SCRIPTS = ("gpu_check.py", "gpu_check_torch.py", "irmb_export", "irmb_train")
SANITIZER_TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")
PART_LIMIT_S = 300


def say(text):
    print(text, file=sys.stderr, flush=True)


def fail(text):
    sys.exit(f"gpu_check: {text}")


def run(command, environment=None, limit_s=PART_LIMIT_S):
    """Exit status and output of a command; what never ends counts as failed."""
    try:
        done = subprocess.run([str(word) for word in command], env=environment, timeout=limit_s,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired:
        return 124, "", f"took longer than {limit_s} s"
    except OSError as error:
        return 127, "", str(error)


def last_line(text):
    return ([""] + text.strip().splitlines())[-1]


def build(architectures):
    """Builds OpenCV and Vigil, and returns the folder of the programs."""
    folder = ROOT / "build-gpu"
    command = [ROOT / "tools/get_opencv.sh", "--cuda", *filter(None, [architectures])]
    opencv = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    for command in (["cmake", "-G", "Ninja", "-S", ROOT, "-B", folder, f"-DOpenCV_DIR={opencv}",
                     "-DVIGIL_BUILD_APP=OFF", "-DVIGIL_BUILD_TESTS=ON",
                     "-DVIGIL_WITH_ONEDNN=OFF"],  # a machine that takes a bundle may lack it
                    ["cmake", "--build", folder, "--target", *PROGRAMS]):
        if subprocess.run(command, stdout=sys.stderr).returncode:
            fail("building failed")
    return folder / "bin"


def torch_libraries():
    """Folders of the CUDA libraries that came with Python packages, for machines without others."""
    code = ("import site, glob; print(*[folder for base in site.getsitepackages()"
            " for folder in glob.glob(base + '/nvidia/*/lib')], sep=':')")
    status, folders, _ = run([sys.executable, "-c", code])
    return folders.strip() if status == 0 else ""


def environment_for(programs):
    paths = [str(programs.parent / "lib"), os.environ.get("LD_LIBRARY_PATH", ""),
             torch_libraries()]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(path for path in paths if path),
            "NVIDIA_TF32_OVERRIDE": "0"}


def driver_version():
    status, text, _ = run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"])
    return text.split("\n")[0].strip() if status == 0 else "unknown"


def sanitize(program, environment):
    """What each tool of compute-sanitizer says of a small case."""
    tool = shutil.which("compute-sanitizer") or shutil.which(
        "compute-sanitizer", path="/usr/local/cuda/bin")
    if not tool:
        return {"skipped": "compute-sanitizer is not installed"}
    results = {}
    for name in SANITIZER_TOOLS:
        status, out, err = run([tool, "--tool", name, "--error-exitcode", "9", program, "--small"],
                               environment)
        summary = re.findall(r"(?:ERROR|RACECHECK) SUMMARY.*", out + err)
        results[name] = {"passed": status == 0, "summary": summary[-1] if summary else last_line(err)}
    return results


def check(programs, models, inputs):
    environment = environment_for(programs)
    report = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
              "driver": driver_version()}
    say("Tests of the kernels")
    status, out, err = run([programs / KERNEL_TESTS, "--gtest_brief=1"], environment)
    report["kernel_tests"] = {"passed": status == 0 and "SKIPPED" not in out,
                              "summary": (out + err)[-2000:]}
    say("Accuracy and speed in OpenCV")
    status, out, err = run([programs / BENCH, *models, *inputs], environment)
    if status:
        fail(err.strip() or f"gpu_bench ended with {status}")
    report.update(json.loads(out))
    say("compute-sanitizer")
    report["sanitizer"] = sanitize(programs / BENCH, environment)
    say("PyTorch")
    status, out, err = run([sys.executable, Path(__file__).parent / "gpu_check_torch.py"])
    report["torch"] = json.loads(out) if status == 0 else {"skipped": last_line(err)}
    return report


def figure(value, unit):
    digits = 2 if unit == "ms" else 1
    return f"{value:.{digits}f} {unit}" if isinstance(value, (int, float)) else "-"


def error_text(value, form=".1e"):
    """An error of a result; JSON has null for those of results that are not numbers."""
    return "not a number" if value is None else format(value, form)


def torch_figures(report, key, unit, **wanted):
    for entry in report["torch"].get(key, []):
        if all(entry[name] == value for name, value in wanted.items()):
            return [figure(value, unit) for value in entry[unit].values()]
    return ["-", "-", "-"]


def model_accuracy(entry):
    if "skipped" in entry:
        return f"not compared: {entry['skipped']}"
    return f"{entry['candidates']} candidates, boxes {error_text(entry['box_px'], '.4f')} px, " \
           f"scores {error_text(entry['score'])}: " + ("ok" if entry["passed"] else "FAILED")


def rows(report):
    machine = report["machine"]
    yield f"{machine['device']}, driver {report['driver']}, CUDA {machine['runtime_cuda']}, " \
          f"OpenCV {machine['opencv']}, CUDA layer: {'yes' if machine['cuda_layer'] else 'no'}"
    for entry in report["accuracy"]:
        yield f"accuracy {entry['precision']}: worst {error_text(entry['worst'])} of " \
              f"{entry['blocks']} blocks, limit {entry['limit']:.0e}: {'ok' if entry['passed'] else 'FAILED'}"
    for entry in report["attention_accuracy"]:
        yield f"attention {entry['precision']}: worst {error_text(entry['worst'])} of " \
              f"{entry['cases']} cases, limit {entry['limit']:.0e}: {'ok' if entry['passed'] else 'FAILED'}"
    yield f"tests of the kernels: {'ok' if report['kernel_tests']['passed'] else 'FAILED'}"
    for name, entry in report["sanitizer"].items():
        yield f"{name}: {entry['summary'] if isinstance(entry, dict) else entry}"
    line = "{:<28}{:>10}{:>10}{:>10}{:>10}{:>10}{:>12}".format
    yield line("block", "kernels", "fused", "expanded", "eager", "compiled", "cuda graphs")
    for entry in report["blocks"]:
        place = {key: entry[key] for key in ("channels", "side", "precision")}
        yield line("{channels} @ {side}x{side}, {precision}".format(**place),
                   *(figure(entry[key], "us") for key in
                     ("kernels_us", "fused_us", "expanded_us")),
                   *torch_figures(report, "blocks", "us", **place))
    for entry in report["attention"]:
        place = {key: entry[key] for key in ("heads", "side", "precision")}
        yield line("PSA {heads} @ {side}x{side}, {precision}".format(**place),
                   *(figure(entry[key], "us") for key in
                     ("kernels_us", "fused_us", "expanded_us")),
                   *torch_figures(report, "attention", "us", **place))
    for entry in report["candidates"]:
        yield line(f"head of {entry['anchors']} anchors, {entry['precision']}",
                   figure(entry["kernels_us"], "us"), "-", "-", "-", "-", "-")
    line = "{:<44}{:>12}{:>12}{:>12}{:>12}{:>14}{:>15}".format
    yield line("model", "preprocess", "forward", "decode", "frame", "whole head", "float32 input")
    for entry in report["models"]:
        yield line(f"{Path(entry['model']).stem}, {entry['precision']}, "
                   f"{'fused' if entry['fused'] else 'not fused'}",
                   *(figure(entry[key], "ms") for key in
                     ("preprocess_ms", "forward_ms", "decode_ms", "frame_ms")),
                   *(figure(entry[key]["frame_ms"], "ms") for key in
                     ("whole_head", "float_input")))
    for entry in report["models"]:
        if not entry["byte_input"]["passed"]:
            yield f"{Path(entry['model']).stem}, {entry['precision']}: 8-bit and float32 input " \
                  f"differ by {error_text(entry['byte_input']['difference'])}: FAILED"
        if "accuracy" in entry:
            yield f"{Path(entry['model']).stem}, {entry['precision']}: " + \
                  model_accuracy(entry["accuracy"])
    for entry in report["torch"].get("models", []):
        yield f"PyTorch {entry['model']}, {entry['precision']}: " + ", ".join(
            f"{mode} {figure(value, 'ms')}" for mode, value in entry["ms"].items())


def passed(report):
    parts = [*report["accuracy"], *report["attention_accuracy"], report["kernel_tests"],
             *report["sanitizer"].values(), *(entry["byte_input"] for entry in report["models"]),
             *(entry.get("accuracy") for entry in report["models"])]
    return all(part.get("passed", True) for part in parts if isinstance(part, dict))


def libraries_of(program):
    """OpenCV's libraries that a program loads."""
    _, text, _ = run(["ldd", program])
    return [Path(path) for path in re.findall(r"=> (\S*libopencv_\S+)", text)]


def bundle(programs, models, inputs, archive):
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / BUNDLE_NAME
        for part in ("bin", "lib", "tools", "models"):
            (folder / part).mkdir(parents=True)
        for name in PROGRAMS:
            shutil.copy(programs / name, folder / "bin")
            for library in libraries_of(programs / name):
                shutil.copy(library, folder / "lib" / library.name)
        for file in [*(folder / "bin").iterdir(), *(folder / "lib").iterdir()]:
            run(["strip", file])
        for script in SCRIPTS:
            source = ROOT / "tools" / script
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / "tools" / script)
        for file in [*models, *inputs]:
            shutil.copy(file, folder / "models")
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(folder, BUNDLE_NAME)
    size = Path(archive).stat().st_size
    if size > BUNDLE_LIMIT_BYTES:
        fail(f"{archive} has {size >> 20} MiB, more than {BUNDLE_LIMIT_BYTES >> 20}: "
             "build OpenCV for one architecture")
    say(f"{archive}: {size >> 20} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[], metavar="FILE",
                        help="ONNX file of a detector to time; may be given several times")
    parser.add_argument("--input", metavar="X.npy",
                        help="a letterboxed picture [1, 3, H, W] to compare the models on; "
                             "default: noise, which holds little to detect")
    parser.add_argument("--archs", metavar="LIST",
                        help="of the GPUs to build for, such as 9.0; default: those of this machine")
    parser.add_argument("--prebuilt", type=Path, metavar="DIR", help="folder with the programs")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write the JSON")
    parser.add_argument("--bundle", type=Path, metavar="FILE",
                        help="check nothing: pack what a machine with a GPU needs")
    options = parser.parse_args()
    is_bundle = (ROOT / "bin" / BENCH).exists()
    programs = options.prebuilt or (ROOT / "bin" if is_bundle else build(options.archs))
    models = options.model or sorted(str(path) for path in (ROOT / "models").glob("*.onnx"))
    inputs = [options.input] if options.input else sorted((ROOT / "models").glob("*.npy"))
    for name in PROGRAMS:
        if not (programs / name).exists():
            fail(f"{programs} has no {name}: it is built where the CUDA layer is")
    if options.bundle:
        bundle(programs, models, inputs, options.bundle)
        return
    report = check(programs.resolve(), models, inputs)
    print("\n".join(rows(report)))
    if options.output:
        options.output.write_text(json.dumps(report, indent=2) + "\n")
    if not passed(report):
        sys.exit(1)


if __name__ == "__main__":
    main()
