"""Tests of the export: python -m unittest irmb_export.export_test, from tools/, where torch and onnx are.

VIGIL names the program vigil; without it nodes are not run.
"""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
import torch

from . import checkpoint, export, foreign_models
from .check import by_onnxruntime, by_vigil
from .network import build
from .structure import Adoption

BOX_PX, SCORE = 0.05, 1e-4


class Bomb:
    """Runs code when an ordinary unpickler reads it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


class ExportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.scratch.name)
        tools = Path(__file__).resolve().parents[1]
        subprocess.run([sys.executable, "-m", "irmb_export.foreign_models", str(cls.folder)],
                       check=True, cwd=tools)
        cls.image = torch.from_numpy(np.load(cls.folder / "input.npy"))

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def build(self, name, as_irmb=("RMB",), **how):
        model, facts = checkpoint.load(self.folder / f"{name}.pt")
        return build(model, as_irmb=as_irmb, **how)

    def assert_close(self, got, want):
        difference = np.abs(got - want)
        self.assertLess(difference[:, :4].max(), BOX_PX)
        self.assertLess(difference[:, 4:].max(), SCORE)

    def export(self, network, standard_ops):
        path = self.folder / "out.onnx"
        counts = export.export_model(network, path, names={0: "person", 1: "car"}, stride=32,
                                     size=[96, 160], standard_ops=standard_ops)
        return path, counts

    def test_without_code_it_computes_the_same(self):
        for name in ("plain", "variants", "forks"):
            network, adoption = self.build(name, with_tail=False)
            self.assertEqual(len(adoption.blocks), 5, adoption.blocks)
            self.assert_close(network(self.image).numpy(), np.load(self.folder / f"{name}.npy"))

    def test_standard_operators(self):
        try:
            import onnxruntime  # noqa: F401
        except ImportError:
            self.skipTest("no onnxruntime")
        path, counts = self.export(self.build("variants", with_tail=False)[0], True)
        self.assertEqual(counts, (0, 0, 5))
        self.assert_close(by_onnxruntime(path, self.image), np.load(self.folder / "variants.npy"))

    def test_nodes_and_metadata(self):
        path, counts = self.export(self.build("variants", with_tail=False)[0], False)
        self.assertEqual(counts, (5, 0, 0))
        model = onnx.load(str(path))
        self.assertEqual(sum(node.domain == "irmb" for node in model.graph.node), 5)
        facts = {entry.key: entry.value for entry in model.metadata_props}
        self.assertEqual((facts["names"], facts["stride"], facts["imgsz"]),
                         ("{0: 'person', 1: 'car'}", "32", "[96, 160]"))
        if "VIGIL" not in os.environ:
            self.skipTest("VIGIL does not name the program: the nodes were not run")
        want = np.load(self.folder / "variants.npy")
        box, score = by_vigil(path, self.image, want, os.environ["VIGIL"])
        self.assertLess(box, BOX_PX)
        self.assertLess(score, SCORE)

    def test_look_alikes_are_refused(self):
        with self.assertRaisesRegex(checkpoint.CheckpointError, "iRMB_Cascaded.*cascades.*--run-code"):
            self.build("cascaded")

    def test_what_only_code_could_tell_is_refused(self):
        with self.assertRaisesRegex(checkpoint.CheckpointError,
                                    "it calls its parts dw, k, q.*--as-irmb RMB"):
            self.build("forks", as_irmb=())
        model, _ = checkpoint.load(self.folder / "plain.pt")
        del model.model[1].attn_pre
        model.model[3].shift_size = 3
        with self.assertRaisesRegex(checkpoint.CheckpointError,
                                    "does not say its attn_pre.*shift_size = 3.*--as-irmb iRMB"):
            build(model)

    def test_names_of_classes(self):
        for name, refused in (("InvertedResidualMobileBlock", False), ("iRMB_Block", False),
                              ("iRMB_Linear", True)):
            model, _ = checkpoint.load(self.folder / "plain.pt")
            model.model[3].__class__ = checkpoint.foreign_class("some.fork", name)
            if refused:
                with self.assertRaisesRegex(checkpoint.CheckpointError, "as a variant of iRMB"):
                    build(model)
            else:
                self.assertEqual(len(build(model)[1].blocks), 5)

    def test_a_third_module_between_the_convolutions_is_not_put_last(self):
        model, _ = checkpoint.load(self.folder / "plain.pt")
        neck = model.model[6]
        middle = checkpoint.foreign_class("ultralytics.nn.extra", "BottleneckMiddle")()
        middle.cv1, middle.cv2, middle.mix = neck.cv1, neck.cv2, neck.m[0]
        middle.add = True
        neck.m[0] = middle
        with self.assertRaisesRegex(checkpoint.CheckpointError, "BottleneckMiddle is not at hand"):
            build(model)

    def test_with_code_a_trial_decides(self):
        block = foreign_models.randomise(foreign_models.IRMB(16))
        del block.attn_pre, block.has_skip
        block.scale = 0.2
        adoption, x = Adoption(), self.image.repeat(1, 6, 1, 1)[:, :16, :9, :11]
        self.assertLess(float((adoption.adopt(block, "model.0")(x) - block(x)).abs().max()), 1e-5)
        self.assertEqual(len(adoption.blocks), 1)

        class Flipped(foreign_models.Block):
            def attend(self, x):
                return super().attend(x.flip(1))
        other = foreign_models.randomise(Flipped(16))
        other.scale = 0.2
        want = other(x)
        self.assertIs(adoption.adopt(other, "model.1"), other)
        self.assertTrue(torch.equal(other(x), want))

    def test_code_in_a_checkpoint_does_not_run(self):
        witness = self.folder / "witness"
        torch.save({"model": Bomb(str(witness))}, self.folder / "bomb.pt")
        with self.assertRaises(checkpoint.CheckpointError):
            self.build("bomb")
        self.assertFalse(witness.exists())

    def test_bad_files(self):
        (self.folder / "text.pt").write_text("no checkpoint")
        torch.save({"model": {"a": torch.zeros(1)}}, self.folder / "weights.pt")
        whole = (self.folder / "plain.pt").read_bytes()
        (self.folder / "cut.pt").write_bytes(whole[:len(whole) // 2])
        for name, fault in (("none", "does not exist"), ("text", "no checkpoint"),
                            ("weights", "weights alone"), ("cut", "cut short")):
            with self.assertRaisesRegex(checkpoint.CheckpointError, fault):
                self.build(name)


if __name__ == "__main__":
    unittest.main()
