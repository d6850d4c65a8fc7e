"""Compares an exported file with PyTorch: standard operators in ONNX Runtime, nodes in Vigil."""
import copy
import json
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .export import write

BOX_TOLERANCE = 0.05   # pixels
SCORE_TOLERANCE = 1e-4


class CheckFailed(Exception):
    pass


def test_image(batch, size):
    """Smooth random pictures, 0 to 1: blobs of many sizes."""
    generator = torch.Generator().manual_seed(7)
    image = torch.zeros(batch, 3, *size)
    for cells in (4, 12, 40):
        noise = torch.rand(batch, 3, cells, cells, generator=generator)
        image += F.interpolate(noise, size=tuple(size), mode="bilinear", align_corners=False) / 3
    return image


def reference(network, image):
    """The network's output in double precision."""
    with torch.no_grad():
        return copy.deepcopy(network).double()(image.double()).numpy()


def row_errors(got, want):
    """(px, score) errors of detections [B, K, 6] as sets: each row against the closest of its class.
    Rows that tie with the last one may have swapped with rows left out."""
    box = score = 0.0
    for rows, wanted in zip(got, want):
        for row in wanted[wanted[:, 4] > wanted[-1, 4] * (1 + 1e-4) + 1e-6]:
            same = rows[rows[:, 5] == row[5]]
            if not len(same):
                return np.inf, np.inf
            differences = np.abs(same[:, :5] - row[:5])
            best = differences[np.argmin(differences[:, :4].max(1) + 1e3 * differences[:, 4])]
            box, score = max(box, best[:4].max()), max(score, best[4])
    return float(box), float(score)


def errors(got, want):
    """(px, score) errors of an output, [B, K, 6] or [B, 4 + nc, N]."""
    if want.shape[-1] == 6:
        return row_errors(got, want)
    difference = np.abs(got - want)
    return float(difference[:, :4].max()), float(difference[:, 4:].max())


def by_onnxruntime(path, image):
    import onnxruntime
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: image.numpy()})[0]


def find_vigil(named):
    """The program vigil: the one named, one on the path, or the one built beside these tools."""
    built = Path(__file__).resolve().parents[2] / "build" / "bin" / "vigil"
    return named or shutil.which("vigil") or (str(built) if built.is_file() else None)


def by_vigil(path, image, expected, vigil):
    """(px, score) errors as `vigil verify` finds them."""
    with tempfile.TemporaryDirectory() as folder:
        x, y = Path(folder, "x.npy"), Path(folder, "y.npy")
        np.save(x, image.numpy())
        np.save(y, expected)
        command = [vigil, "verify", str(path), "--input", str(x), "--expect", str(y), "--tolerance",
                   str(BOX_TOLERANCE), "--json"]
        result = subprocess.run(command, capture_output=True, text=True)
    try:
        verdict = json.loads(result.stdout)
    except ValueError:
        raise CheckFailed(f"vigil verify failed: {result.stderr.strip()}")
    if verdict.get("rows_unmatched"):
        return np.inf, np.inf
    missing = lambda value: np.inf if value is None else value
    return missing(verdict.get("box_err_px")), missing(verdict.get("score_err"))


def compare(network, path, image, has_nodes, program):
    """(px, score) errors of a file."""
    expected = reference(network, image)
    if has_nodes:
        return by_vigil(path, image, expected, program)
    return errors(by_onnxruntime(path, image).astype(np.float64), expected)


def compare_head(network, image, has_nodes, program):
    """The same of the one-to-one head alone, element by element: rows that tie hide errors."""
    head = copy.deepcopy(network)
    head.tail = torch.nn.Identity()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "head.onnx")
        write(head, path, image.shape[2:], len(image), standard_ops=not has_nodes)
        return compare(head, path, image, has_nodes, program)


def check(network, path, size, batch, has_nodes, vigil=None):
    """Compares the file with the network and returns a line about it, or None where the program that
    it takes is missing. Raises CheckFailed when they differ."""
    what, program = ("vigil", find_vigil(vigil)) if has_nodes else ("ONNX Runtime", None)
    if has_nodes and not program or not has_nodes and not find_spec("onnxruntime"):
        return None
    image = test_image(batch, size)
    found = [compare(network, path, image, has_nodes, program)]
    if not isinstance(network.tail, torch.nn.Identity):
        found.append(compare_head(network, image, has_nodes, program))
    box, score = (max(values) for values in zip(*found))
    line = f"{what} against PyTorch: boxes {box:.2g} px, scores {score:.2g}"
    if not (box <= BOX_TOLERANCE and score <= SCORE_TOLERANCE):
        raise CheckFailed(f"{line}; the limits are {BOX_TOLERANCE} px and {SCORE_TOLERANCE}")
    return line
