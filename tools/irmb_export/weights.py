"""Deterministic random weights, the same in every version of PyTorch."""
import zlib

import numpy as np
import torch
from torch import nn


def _generator(seed, name):
    return np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))


def _set(tensor, values):
    with torch.no_grad():
        tensor.copy_(torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)))


def randomise(module, seed):
    """Fills parameters and running statistics in place and returns `module` in eval mode.

    Convolutions keep the variance of their input; norms and biases are far from their neutral
    values, so that leaving one out, or applying it at the wrong place, shows in the output.
    """
    for name, tensor in list(module.named_parameters()) + list(module.named_buffers()):
        if not tensor.is_floating_point():
            continue
        rng = _generator(seed, name)
        shape = tuple(tensor.shape)
        if name.endswith("running_mean"):
            _set(tensor, rng.normal(0.0, 0.4, shape))
        elif name.endswith("running_var"):
            _set(tensor, rng.uniform(0.5, 2.0, shape))
        elif name.endswith("bias"):
            _set(tensor, rng.normal(0.0, 0.3, shape))
        elif tensor.dim() > 1:
            _set(tensor, rng.normal(0.0, 1.0, shape) / np.sqrt(np.prod(shape[1:])))
    for name, child in module.named_modules():
        if isinstance(child, (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)):
            rng = _generator(seed, name + ".weight")
            _set(child.weight, rng.uniform(0.5, 1.5, tuple(child.weight.shape)))
        elif isinstance(child, nn.PReLU):
            _set(child.weight, _generator(seed, name).uniform(0.1, 0.4, tuple(child.weight.shape)))
    return module.eval()


def random_input(shape, seed):
    """Standard normal float32 array of `shape`."""
    return _generator(seed, "input").standard_normal(shape).astype(np.float32)
