"""Reads checkpoints that others trained, without their source files and without running their code.

A checkpoint of Ultralytics is a pickle of the whole model, and a pickle may call anything. Here it
may build tensors, containers and PyTorch's own modules; every other class becomes a Foreign module
that keeps its state and has no behaviour. structure.py gives it one.
"""
import builtins
import collections
import pickle
import sys
import zipfile
from pathlib import Path

import torch
from torch import nn

BUILTINS = {"set", "frozenset", "dict", "list", "tuple", "bytearray", "int", "float", "str", "bool",
            "complex", "slice", "range"}
DTYPES = {"DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
          "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
          "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
          "BoolStorage": torch.bool, "UntypedStorage": torch.uint8}


class CheckpointError(Exception):
    """A checkpoint that cannot be exported; the message says why and what helps."""


class Foreign(nn.Module):
    """An object of a class that is not at hand, with its state."""

    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __init__(self, *args, **kwargs):
        super().__init__()

    def __setstate__(self, state):
        if isinstance(state, dict) and "_modules" in state:
            super().__setstate__(state)
        elif isinstance(state, dict):
            self.__dict__.update(state)

    # Dictionaries, lists and the like of unknown kinds are filled by these while unpickling.
    def __setitem__(self, key, value):
        pass

    def append(self, value):
        pass

    def extend(self, values):
        pass

    def forward(self, *args):
        raise CheckpointError(f"the code of {class_path(self)} is not at hand")


_foreign_classes = {}


def foreign_class(module, name):
    """The class that stands in for `module`.`name`; the same one each time."""
    path = f"{module}.{name}"
    if path not in _foreign_classes:
        _foreign_classes[path] = type(name.rsplit(".", 1)[-1], (Foreign,), {"path": path})
    return _foreign_classes[path]


def class_path(module):
    """Where the class of `module` comes from, as the checkpoint names it."""
    kind = type(module)
    return getattr(kind, "path", f"{kind.__module__}.{kind.__qualname__}")


def rebuild_tensor(storage, offset, size, stride, *unused):
    return storage.as_strided(size, stride, offset).clone()


def rebuild_typed_tensor(storage, offset, size, stride, grad, hooks, dtype, *unused):
    return rebuild_tensor(storage.view(dtype), offset, size, stride)


def rebuild_parameter(data, *unused):
    return nn.Parameter(data, requires_grad=False)


REBUILDERS = {"_rebuild_tensor": rebuild_tensor, "_rebuild_tensor_v2": rebuild_tensor,
              "_rebuild_tensor_v3": rebuild_typed_tensor, "_rebuild_parameter": rebuild_parameter,
              "_rebuild_parameter_with_state": rebuild_parameter}


def harmless(module, name):
    """The object behind a global name of a pickle if building it can do no harm, else None."""
    if module in ("builtins", "__builtin__") and name in BUILTINS:
        return getattr(builtins, name)
    if (module, name) == ("collections", "OrderedDict"):
        return collections.OrderedDict
    if module == "torch._utils":
        return REBUILDERS.get(name)
    if module in ("torch", "torch.nn.parameter"):
        found = getattr(sys.modules[module], name, None)
        plain = isinstance(found, torch.dtype) or found in (torch.Size, torch.device, nn.Parameter)
        return found if plain else None
    if module.startswith("torch.nn.modules."):
        found = getattr(sys.modules.get(module), name, None)
        return found if isinstance(found, type) and issubclass(found, nn.Module) else None
    return None


class Unpickler(pickle.Unpickler):
    """Reads data.pkl of an archive that torch.save wrote. torch.load would not do: PyTorch 1.13
    ignores the unpickler that it is given."""

    def __init__(self, archive, folder, trusted):
        super().__init__(archive.open(folder + "data.pkl"), encoding="utf-8")
        self.archive, self.folder, self.trusted = archive, folder, trusted
        self.storages = {}

    def find_class(self, module, name):
        known = harmless(module, name)
        if known is None and self.trusted and not name.endswith("Storage"):
            try:
                return super().find_class(module, name)
            except (ImportError, AttributeError):
                pass
        return known or foreign_class(module, name)

    def persistent_load(self, saved):
        """A storage as a flat tensor."""
        _, kind, key, *_ = saved
        if key not in self.storages:
            data = bytearray(self.archive.read(f"{self.folder}data/{key}"))
            dtype = DTYPES[kind.__name__]
            self.storages[key] = torch.frombuffer(data, dtype=dtype) if data else \
                torch.empty(0, dtype=dtype)
        return self.storages[key]


def check_is_file(path):
    if not Path(path).is_file():
        raise CheckpointError(f"'{path}' does not exist; check the path")
    with open(path, "rb") as file:
        begins_as_archive = file.read(4) == b"PK\x03\x04"
    if begins_as_archive and not zipfile.is_zipfile(path):
        raise CheckpointError(f"'{path}' was cut short: the end of the archive is missing; copy it again")
    if not begins_as_archive:
        raise CheckpointError(f"'{path}' is no checkpoint of PyTorch 1.6 or newer; load it in its own "
                              "environment and save it again with torch.save")


def archive_folder(path, archive):
    """The folder in the archive that holds everything."""
    names = archive.namelist()
    if any(name.endswith("/constants.pkl") for name in names):
        raise CheckpointError(f"'{path}' is TorchScript; give the .pt that training wrote")
    for name in names:
        if name.endswith("/data.pkl"):
            return name[:-len("data.pkl")]
    raise CheckpointError(f"'{path}' is an archive, but not one of torch.save")


def read(path, trusted=False):
    """The checkpoint's object. `trusted` runs the code that it refers to, wherever that is found."""
    check_is_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return Unpickler(archive, archive_folder(path, archive), trusted).load()
    except CheckpointError:
        raise
    except Exception as error:  # a damaged pickle fails in any way
        raise CheckpointError(f"'{path}' is damaged, {type(error).__name__}: {error}; copy it again")


def as_dict(value):
    """A dictionary, or the attributes of a namespace of an unknown class."""
    if isinstance(value, dict):
        return value
    return vars(value) if hasattr(value, "__dict__") else {}


def load(path, trusted=False):
    """(model, facts): the model as trained, in single precision, and what else the checkpoint says
    (`imgsz`, `license`, `version` and more, where it does)."""
    content = read(path, trusted)
    facts = {}
    if isinstance(content, dict):
        facts = {**as_dict(content.get("train_args")), **content}
        content = content.get("ema") or content.get("model")
    if not isinstance(content, nn.Module):
        raise CheckpointError(f"'{path}' holds no whole model but weights alone; give the best.pt or "
                              "last.pt that Ultralytics saves")
    return content.float().eval().requires_grad_(False), facts
