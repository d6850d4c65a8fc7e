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

from . import checkpoint, export
from .check import by_onnxruntime, by_vigil
from .network import build

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

    def build(self, name, **how):
        model, facts = checkpoint.load(self.folder / f"{name}.pt")
        return build(model, **how)

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
        for name in ("plain", "variants"):
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

    def test_code_in_a_checkpoint_does_not_run(self):
        witness = self.folder / "witness"
        torch.save({"model": Bomb(str(witness))}, self.folder / "bomb.pt")
        with self.assertRaises(checkpoint.CheckpointError):
            self.build("bomb")
        self.assertFalse(witness.exists())

    def test_bad_files(self):
        (self.folder / "text.pt").write_text("no checkpoint")
        torch.save({"model": {"a": torch.zeros(1)}}, self.folder / "weights.pt")
        for name, fault in (("none", "does not exist"), ("text", "no checkpoint"),
                            ("weights", "weights alone")):
            with self.assertRaisesRegex(checkpoint.CheckpointError, fault):
                self.build(name)


if __name__ == "__main__":
    unittest.main()
