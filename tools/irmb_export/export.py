"""Writes a detector as ONNX, each iRMB as one node or everything as standard operators."""
import copy
import warnings
from pathlib import Path

import torch
from torch import nn

from .checkpoint import CheckpointError
from .irmb import iRMB
from .node import DOMAIN, VERSION, AttentionNode, IrmbNode, with_nodes

OPSETS = range(11, 21)
INPUT, OUTPUT = "images", "output0"


def image_size(wanted, facts, stride):
    """[height, width]: what was asked for, else what the model was trained with, else 640."""
    size = wanted or facts.get("imgsz") or 640
    size = list(size) if isinstance(size, (list, tuple)) else [size]
    size = [int(side) for side in size] * (2 if len(size) == 1 else 1)
    if len(size) != 2 or any(side <= 0 or side % stride for side in size):
        raise CheckpointError(f"--imgsz {' '.join(map(str, size))}: sides must be multiples of the "
                              f"model's stride, {stride}")
    return size


def metadata(names, stride, size, batch, facts):
    """What goes into the file's metadata_props, as Ultralytics' exporter writes it."""
    facts = {key: facts[key] for key in ("license", "version", "date")
             if isinstance(facts.get(key), str)}
    return {**facts, "task": "detect", "stride": stride, "imgsz": size, "batch": batch,
            "names": names}


def write_metadata(path, entries, producer_note):
    import onnx
    model = onnx.load(str(path))
    del model.metadata_props[:]
    for key, value in entries.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
    model.doc_string = producer_note
    for item in [model.graph, *model.graph.node]:
        item.doc_string = ""
    onnx.save(model, str(path))


def slim(path):
    """Simplifies the file where onnxslim is installed; tells whether it was."""
    try:
        import onnxslim
    except ImportError:
        return False
    import onnx
    onnx.save(onnxslim.slim(onnx.load(str(path))), str(path))
    return True


def try_out(network, size, batch=1):
    """Runs the network once; raises CheckpointError when its layers do not fit together."""
    try:
        with torch.no_grad():
            out = network(torch.rand(batch, 3, *size))
    except CheckpointError:
        raise
    except Exception as error:  # code and weights of others fail in any way
        raise CheckpointError(f"the model does not run at {size[0]}x{size[1]}: "
                              f"{type(error).__name__}: {error}")
    if not bool(torch.isfinite(out).all()):
        raise CheckpointError("the model's output is not finite, as after a training that diverged; "
                              "give an earlier checkpoint")


def count(model, kind):
    return sum(isinstance(module, kind) for module in model.modules())


def write(network, path, size, batch=1, opset=13, standard_ops=False):
    """Exports `network` for one input size. Returns the numbers of iRMBs written as one node, with
    their attention as a node, and as standard operators."""
    model = copy.deepcopy(network)
    if not standard_ops:
        model = with_nodes(model)
    options = dict(opset_version=opset, input_names=[INPUT], output_names=[OUTPUT])
    if count(model, (IrmbNode, AttentionNode)):
        options["custom_opsets"] = {DOMAIN: VERSION}
    if int(torch.__version__.split(".")[0]) >= 2:
        options.update(dynamo=False)
        options.update({} if standard_ops else dict(autograd_inlining=False))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (torch.zeros(batch, 3, *size),), str(path), **options)
    whole, core = count(model, IrmbNode), count(model, AttentionNode)
    return whole, core, count(network, iRMB) - whole - core


def export_model(network, path, *, names, stride, size, batch=1, opset=13, standard_ops=False,
                 facts=None):
    """Exports any detector whose iRMBs are irmb.iRMB, with its metadata. `names`: {id: name};
    `size`: [height, width]. Returns what write() returns."""
    counts = write(network, path, size, batch, opset, standard_ops)
    if standard_ops:
        slim(path)
    write_metadata(path, metadata(names, stride, list(size), batch, facts or {}),
                   "exported by irmb_export")
    return counts
