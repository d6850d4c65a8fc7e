"""What happens to an exported file afterwards: simplifiers, float16, metadata, and its verification."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF, DOUBLE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE


def simplify(model, form):
    """The model after onnxslim ("slim") or onnxsim ("sim")."""
    if form == "slim":
        import onnxslim
        return onnxslim.slim(model)
    import onnxsim
    return onnxsim.simplify(model)[0]


def float_constants(graph):
    """Float32 tensors of initializers and Constant nodes."""
    for tensor in graph.initializer:
        if tensor.data_type == FLOAT:
            yield tensor
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type == FLOAT:
                yield attribute.t


def halve_weights(model):
    """Stores float32 initializers as float16 behind a Cast."""
    graph, casts = model.graph, []
    for tensor in list(graph.initializer):
        if tensor.data_type != FLOAT:
            continue
        name = tensor.name
        values = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    return model


def halve(model, keep_io):
    from onnxconverter_common import float16
    return float16.convert_float_to_float16(model, keep_io_types=keep_io)


def rewrite(case, path):
    """Brings the file at `path` into the case's form, in place."""
    model = onnx.load(path, load_external_data=case.form != "raw")
    if case.form != "raw":
        model = simplify(model, case.form)
    if case.half:
        round_to_half(model)
        onnx.save(model, str(path) + ".rounded")
        model = halve_weights(model) if case.half == "weights" else halve(model, case.half == "all")
    for key, value in (case.metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    strip_traces(model)
    if case.external and case.form != "raw":
        onnx.save(model, path, save_as_external_data=True, location="model.onnx.data",
                  size_threshold=256)
    else:
        onnx.save(model, path)


def strip_traces(model):
    """Removes what exporters note about the source code and its place on disk."""
    graph = model.graph
    for item in [graph, *graph.node, *graph.value_info, *graph.input, *graph.output]:
        item.doc_string = ""
        del item.metadata_props[:]


def round_to_half(model):
    for tensor in float_constants(model.graph):
        values = numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def rounded_outputs(path, x):
    """Outputs, in double precision, of the graph whose constants were rounded to float16."""
    from onnx.reference import ReferenceEvaluator
    rounded = path.with_name(path.name + ".rounded")
    model = onnx.load(rounded)
    rounded.unlink()
    for tensor in list(float_constants(model.graph)):
        values = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    for value in list(model.graph.input) + list(model.graph.output):
        value.type.tensor_type.elem_type = DOUBLE
    del model.graph.value_info[:]
    return ReferenceEvaluator(model).run(None, {"images": x.astype(np.float64)})


def run(case, path, x):
    """Outputs of ONNX Runtime, or of the numpy node where the file holds irmb::iRMB."""
    if case.exporter == "node":
        from onnx.reference import ReferenceEvaluator
        from .node_reference import iRMB
        return ReferenceEvaluator(str(path), new_ops=[iRMB]).run(None, {"images": x})
    import onnxruntime
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"images": x.astype(np.float16) if case.half == "io" else x})


def missing_detections(got, want):
    """Rows of `want` [K, 6], clearly better than its last, without a match in `got`: the order of
    equal scores is nobody's promise."""
    wanted = want[want[:, 4] > want[-1, 4] + 1e-4]
    error = np.abs(got[None] - wanted[:, None])
    match = (error[..., :4].max(-1) < 0.02) & (error[..., 4] < 1e-4) & (error[..., 5] == 0)
    return len(wanted) - match.any(1).sum()


def verify(case, path, x, expected):
    """Raises when the file does not give what PyTorch gives."""
    onnx.checker.check_model(str(path))
    tolerance = 2e-2 if case.half in ("all", "io") else 1e-4
    outputs = run(case, path, x)
    if len(outputs) != len(expected):
        raise ValueError(f"{len(outputs)} outputs instead of {len(expected)}")
    for got, want in zip(outputs, expected):
        if got.shape != want.shape:
            raise ValueError(f"shape {got.shape} instead of {want.shape}")
        if case.metadata and want.shape[-1] == 6:
            missing = sum(missing_detections(g, w) for g, w in zip(got, want))
            if missing:
                raise ValueError(f"{missing} detections are missing")
            continue
        error = np.abs(got.astype(np.float64) - want).max() / max(1.0, np.abs(want).max())
        if not error <= tolerance:
            raise ValueError(f"relative error {error:.2e}")
