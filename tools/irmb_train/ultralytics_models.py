"""YOLOv10-iRMB models for Ultralytics (pip install ultralytics): its YAML reader learns the layer
names iRMB and C2f_iRMB for as long as the program runs; the installation stays as it is.

    from irmb_train.ultralytics_models import register, yaml
    register()
    model = ultralytics.YOLO(yaml("yolov10n-irmb"))

In a YAML, `iRMB, [channels]` and `C2f_iRMB, [channels, shortcut]` are written like Conv and C2f;
more arguments of the iRMB may follow as a last, named one: `iRMB, [256, {window_size: 10}]`.
"""
import copy
from pathlib import Path

from torch import nn

from irmb_export.irmb import iRMB


def yaml(name):
    """Path of a model definition: yolov10n-irmb, yolov10s-irmb, yolov10n-c2f-irmb or
    yolov10s-c2f-irmb."""
    path = Path(__file__).parent / "models" / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml")))
        raise ValueError(f"'{name}' is unknown: use one of {known}")
    return str(path)


def stand_in(layer):
    """The layer of Ultralytics that is built in place of an iRMB layer, and the iRMB's options."""
    source, repeats, kind, args = layer
    options = args.pop() if args and isinstance(args[-1], dict) else {}
    return ([source, repeats, "Conv", [args[0], 1]] if kind == "iRMB"
            else [source, repeats, "C2f", args]), options


def replace(built, kind, options):
    """The iRMB layer for the layer that was built in its place."""
    if kind == "C2f_iRMB":
        built.m = nn.ModuleList(iRMB(built.c, built.c, **options) for _ in built.m)
        return built
    layer = iRMB(built.conv.in_channels, built.conv.out_channels, **options)
    layer.i, layer.f, layer.type = built.i, built.f, "iRMB"
    layer.np = sum(p.numel() for p in layer.parameters())
    return layer


def register():
    """Teaches Ultralytics' YAML reader the iRMB layers; may be called again."""
    from ultralytics.nn import tasks
    original = tasks.parse_model
    if getattr(original, "knows_irmb", False):
        return

    def parse_model(definition, *args, **kwargs):
        definition = copy.deepcopy(definition)
        layers, found = definition["backbone"] + definition["head"], {}
        for index, layer in enumerate(layers):
            if layer[2] in ("iRMB", "C2f_iRMB"):
                kind = layer[2]
                layer[:], options = stand_in(list(layer))
                found[index] = kind, options
        model, save = original(definition, *args, **kwargs)
        for index, (kind, options) in found.items():
            model[index] = replace(model[index], kind, options)
        return model, save

    parse_model.knows_irmb = True
    tasks.parse_model = parse_model
