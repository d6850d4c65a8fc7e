"""Tests of the training code: python -m unittest irmb_train.train_test (from tools/).

They need PyTorch and are skipped without it.
"""
import copy
import tempfile
import unittest
import unittest.mock
from pathlib import Path

try:
    import cv2
    import numpy as np
    import torch
except ImportError as error:
    raise unittest.SkipTest(f"the training code was not tested: {error}") from None

from . import canvases, imitation, loss, shards, train
from .average import average, with_neutral_norms
from .checkpoint import calibrate, load_model, neutral, save_model
from .evaluate import average_precision, best_detections, match
from .model import YoloV10Irmb, initialise
from .sources import CLASSES, Picture, training_images


def street(rng):
    """A grey picture with two dark upright boxes as people."""
    image = np.full((240, 320, 3), 160, np.uint8)
    boxes = []
    for left in (40, 180):
        x, y = left + int(rng.integers(0, 40)), int(rng.integers(20, 100))
        cv2.rectangle(image, (x, y), (x + 40, y + 100), (30, 40, 50), -1)
        boxes.append((x, y, x + 40, y + 100))
    return Picture("oi_0", image, np.float32(boxes), np.zeros(2, np.int64))


class Oracle:
    """A teacher that sees nothing."""

    def __call__(self, image):
        return np.zeros((8400, 4), np.float32), np.zeros((8400, len(CLASSES)), np.float32)


def write_shard(folder, count=4):
    rng = np.random.default_rng(1)
    pictures = [street(rng) for _ in range(3)]
    arrays = canvases.make_shard(pictures, Oracle(), count, rng)
    np.savez(canvases.shard_path(folder, 0), **arrays)


class SourcesTest(unittest.TestCase):
    def test_training_parts_may_be_named_by_a_year(self):
        with tempfile.TemporaryDirectory() as root:
            for part in ("train", "train2017", "val2017"):
                folder = Path(root) / "datasets/set/images" / part
                folder.mkdir(parents=True)
                (folder / f"{part}.jpg").touch()
            self.assertEqual([p.name for p in training_images(root, "set")],
                             ["train.jpg", "train2017.jpg"])


class CanvasTest(unittest.TestCase):
    def test_boxes_follow_the_people_of_a_canvas(self):
        rng = np.random.default_rng(2)
        pictures = [street(rng)]
        for _ in range(10):
            image, boxes, _ = canvases.compose(pictures, np.ones(1), rng)
            for x1, y1, x2, y2 in boxes:
                self.assertLess(image[int((y1 + y2) / 2), int((x1 + x2) / 2)].mean(), 80)

    def test_crops_keep_objects_on_the_people(self):
        with tempfile.TemporaryDirectory() as folder:
            write_shard(folder)
            data = shards.Canvases(folder, 320, seed=3)
            found = 0
            for index in range(len(data)):
                image, *_, objects = data[index]
                for _, x1, y1, x2, y2, weight in objects[objects[:, 5] > 0].tolist():
                    inside = image[:, int((y1 + y2) / 2), int((x1 + x2) / 2)].float().mean()
                    surround = image.float().mean()
                    self.assertEqual(weight, 1)
                    self.assertLess(inside, surround)
                    found += 1
            self.assertGreater(found, 0)

    def test_teacher_scores_move_with_the_crop(self):
        data = object.__new__(shards.Canvases)
        data.size = 320
        row, column = 30, 45  # of the 80 x 80 anchors at stride 8
        anchors = np.array([row * 80 + column])
        boxes = np.float32([[350, 230, 370, 260]])
        scores = np.float32([[0.9, 0, 0, 0, 0, 0]])
        for flip in (False, True):
            dense, where, certain = data.crop_teacher(anchors, boxes, scores, 256, 128, flip)
            place = int(dense[:, 0].argmax())
            x, y = column - 32, row - 16
            self.assertEqual(place, y * 40 + (39 - x if flip else x))
            expected = [320 - 114, 102, 320 - 94, 132] if flip else [94, 102, 114, 132]
            self.assertEqual(where[place].tolist(), expected)
            self.assertTrue(certain.all())


class LossTest(unittest.TestCase):
    def test_decoded_boxes_are_centres_plus_distances(self):
        points, strides = loss.anchor_grid(64, "cpu")
        distances = torch.full((1, 64, len(points)), -20.0)
        distances[:, [2, 16 + 1, 32 + 3, 48 + 4]] = 20.0  # left, top, right, bottom in cells
        boxes = loss.decode(distances, points, strides)
        self.assertEqual(boxes[0, 0].round().tolist(), [4 - 16, 4 - 8, 4 + 24, 4 + 32])

    def test_complete_iou_of_known_boxes(self):
        a, b = torch.tensor([0.0, 0, 2, 2]), torch.tensor([1.0, 1, 3, 3])
        self.assertAlmostEqual(loss.plain_iou(a, b).item(), 1 / 7, places=5)
        self.assertAlmostEqual(loss.complete_iou(a, b).item(), 1 / 7 - 2 / 18, places=5)

    def test_an_anchor_serves_one_object(self):
        points, _ = loss.anchor_grid(64, "cpu")
        boxes = torch.cat((points - 12, points + 12), 1)[None]
        scores = torch.full((1, len(points), 2), 0.5)
        objects = torch.tensor([[[0, 4, 4, 36, 36, 1], [1, 20, 20, 56, 56, 1.0],
                                 [0, 0, 0, 0, 0, 0]]])
        target, box, weight = loss.assign(scores, boxes, objects, points, 5)
        self.assertLessEqual((target > 0).sum(-1).max().item(), 1)
        self.assertEqual(((weight > 0)).sum().item(), (target.sum(-1) > 0).sum().item())
        self.assertTrue((target[0, :, 0] > 0).any() and (target[0, :, 1] > 0).any())


class ImitationTest(unittest.TestCase):
    def test_what_is_missed_is_one_for_silence_and_none_for_the_same(self):
        anchors = 8 * 8 + 4 * 4 + 2 * 2  # of 64 pixels
        scores = torch.full((1, anchors, 3), 1e-6)
        scores[0, 5, 1], scores[0, 70, 2] = 0.9, 0.002
        distances = torch.zeros(1, 64, anchors)
        boxes = torch.zeros(1, anchors, 4)
        same = torch.logit(scores).transpose(1, 2)
        for said, expected in ((same, 0.0), (torch.full_like(same, -20.0), 1.0)):
            missed, _ = imitation.imitation_loss(said, distances, boxes, scores)
            self.assertAlmostEqual(missed.item(), expected, places=3)

    def test_boxes_follow_the_teacher_where_it_is_sure(self):
        points, _ = loss.anchor_grid(64, "cpu")
        scores = torch.zeros(1, len(points), 3)
        distances = torch.zeros(1, 64, len(points))
        distances[:, [2, 16 + 2, 32 + 2, 48 + 2]] = 20.0  # two cells to each side
        logits = torch.zeros(1, 3, len(points))
        boxes = torch.zeros(1, len(points), 4)
        self.assertEqual(imitation.imitation_loss(logits, distances, boxes, scores)[1].item(), 0)
        scores[0, 9, 0] = 0.5  # an anchor of stride 8
        boxes[0, 9] = torch.cat((points[9] - 16, points[9] + 16))
        self.assertLess(imitation.imitation_loss(logits, distances, boxes, scores)[1].item(), 1e-3)
        boxes[0, 9, 0] -= 16
        self.assertGreater(imitation.imitation_loss(logits, distances, boxes, scores)[1].item(), 1)

    def test_the_teacher_sees_what_the_student_sees(self):
        class Mirror:
            def __init__(self, *_, **__):
                pass

            def all_classes(self, image):
                return image.copy(), image.copy()

        with tempfile.TemporaryDirectory() as folder, \
                unittest.mock.patch.object(imitation, "Teacher", Mirror):
            write_shard(folder)
            data = shards.Canvases(folder, 640, seed=3)
            for index in range(2):
                item = imitation.Watched(data, "teacher.onnx")[index]
                self.assertEqual(len(item), 7)
                rgb = item[0].permute(1, 2, 0)
                self.assertTrue(item[5].equal(rgb.flip(2)))


class TrainingTest(unittest.TestCase):
    def arguments(self, folder, steps):
        return ["--canvases", folder, "--output", f"{folder}/run", "--steps", str(steps),
                "--batch", "2", "--size", "64", "--log-every", "1", "--threads", "1",
                "--one-to-one", "assigned", "--device", "cpu"]

    def run_training(self, folder, steps):
        train.main(self.arguments(folder, steps))
        return torch.load(f"{folder}/run/checkpoint.pt", weights_only=True)

    def test_a_stopped_training_goes_on(self):
        with tempfile.TemporaryDirectory() as folder:
            write_shard(folder)
            first = self.run_training(folder, 2)
            second = self.run_training(folder, 3)
            self.assertEqual((first["step"], second["step"]), (2, 3))
            changed = [k for k in first["model"] if not first["model"][k].equal(second["model"][k])]
            self.assertIn("model.0.conv.weight", changed)

    def test_a_stopped_imitation_goes_on(self):
        class Watcher:
            def __init__(self, *_, **__):
                pass

            def all_classes(self, image):
                return np.zeros((8400, 4), np.float32), np.full((8400, 80), 0.01, np.float32)

        with tempfile.TemporaryDirectory() as folder, \
                unittest.mock.patch.object(imitation, "Teacher", Watcher):
            write_shard(folder, count=2)
            saved = []
            for steps in (1, 2):
                train.main(self.arguments(folder, steps) + ["--imitate", "x", "--size", "640"])
                saved.append(torch.load(f"{folder}/run/checkpoint.pt", weights_only=True))
            first, second = (s["imitation"]["maps.0.bias"] for s in saved)
            self.assertEqual(saved[1]["step"], 2)
            self.assertFalse(first.equal(second))
            self.assertLess((first - second).abs().max().item(), 0.1)
            with self.assertRaisesRegex(ValueError, "with --imitate"):
                train.main(self.arguments(folder, 3))

    def test_imitation_needs_whole_canvases(self):
        with tempfile.TemporaryDirectory() as folder:
            write_shard(folder)
            with self.assertRaisesRegex(ValueError, "--size 640"):
                train.main(self.arguments(folder, 1) + ["--imitate", "x"])

    def test_orthogonalised_matrices_have_even_singular_values(self):
        matrix = torch.randn(16, 40, generator=torch.Generator().manual_seed(1))
        for bfloat16 in (False, True):
            values = torch.linalg.svdvals(train.orthogonalise(matrix, bfloat16).float())
            self.assertGreater(values.min().item(), 0.5)
            self.assertLess(values.max().item(), 1.4)


class ModelTest(unittest.TestCase):
    def test_output_has_boxes_and_scores_of_three_strides(self):
        torch.manual_seed(1)
        with torch.no_grad():
            output = initialise(YoloV10Irmb(6)).eval()(torch.rand(1, 3, 64, 96))
        self.assertEqual(tuple(output.shape), (1, 10, 8 * 12 + 4 * 6 + 2 * 3))

    def test_calibrated_norms_compute_the_same(self):
        torch.manual_seed(2)
        model = initialise(YoloV10Irmb(6)).eval()
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                with torch.no_grad():
                    neutral(module)
        x = torch.rand(2, 3, 64, 64)
        with torch.no_grad():
            before = model(x)
            after = calibrate(model, [x])(x)
        self.assertLess((before - after).abs().max().item(), 1e-2)


class ScoresTest(unittest.TestCase):
    def test_one_to_many_scores_take_the_place_of_the_others(self):
        model = initialise(YoloV10Irmb(6)).eval()
        for many in model.model[26].many:
            torch.nn.init.normal_(many.weight)
        x = torch.rand(1, 3, 64, 64)
        with torch.no_grad():
            many = model.training_outputs(x)[2]
            model.model[26].take_many()
            torch.testing.assert_close(model(x)[:, 4:], many.sigmoid())


class AverageTest(unittest.TestCase):
    def test_the_ends_compute_what_the_models_compute(self):
        torch.manual_seed(3)
        x = torch.rand(1, 3, 64, 64)
        models = []
        for _ in range(2):
            model = initialise(YoloV10Irmb(6))
            model(x)  # gives the batch norms statistics
            models.append(model.eval())
        for share, expected in ((0.0, models[0]), (1.0, models[1])):
            mean = average(*(copy.deepcopy(m) for m in models), share)
            with torch.no_grad():
                torch.testing.assert_close(mean(x), expected(x), rtol=1e-3, atol=1e-3)
        half = average(*(copy.deepcopy(m) for m in models)).state_dict()
        weights = [with_neutral_norms(copy.deepcopy(m)).state_dict()["model.0.conv.weight"]
                   for m in models]
        torch.testing.assert_close(half["model.0.conv.weight"], (weights[0] + weights[1]) / 2)

    def test_a_saved_model_can_be_loaded(self):
        with tempfile.TemporaryDirectory() as folder:
            model = initialise(YoloV10Irmb(6, "s")).eval()
            save_model(model, f"{folder}/model.pt")
            x = torch.rand(1, 3, 64, 64)
            with torch.no_grad():
                torch.testing.assert_close(load_model(f"{folder}/model.pt").eval()(x), model(x))


class UltralyticsTest(unittest.TestCase):
    def test_definitions_have_the_layers_of_our_model(self):
        try:
            from ultralytics.nn.tasks import DetectionModel
        except ImportError:
            self.skipTest("the definitions for Ultralytics were not tested: it is not installed")
        from .ultralytics_models import register, yaml
        register()
        for scale in ("n", "s"):
            theirs = DetectionModel(yaml(f"yolov10{scale}-irmb"), nc=6, verbose=False).state_dict()
            ours = initialise(YoloV10Irmb(6, scale)).state_dict()
            shapes = {k: v.shape for k, v in ours.items() if ".many." not in k}
            self.assertEqual({k: theirs[k].shape for k in shapes}, shapes)
            register()
            DetectionModel(yaml(f"yolov10{scale}-c2f-irmb"), nc=6, verbose=False)


class ScoreTest(unittest.TestCase):
    def test_a_second_detection_of_an_object_is_wrong(self):
        found = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]])
        hits = match(found, np.float32([0.9, 0.8, 0.7]), np.float32([[0, 0, 10, 10]]))
        self.assertEqual(hits.tolist(), [True, False, False])

    def test_doubles_are_removed_best_first(self):
        boxes = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [5, 0, 15, 10]])  # IoU 9/11, 3/7
        scores = np.float32([[0.8], [0.9], [0.7]])
        for nms_iou, expected in ((1.0, [0.9, 0.8, 0.7]), (0.6, [0.9, 0.7]), (0.4, [0.9])):
            found = best_detections(boxes, scores, 0, nms_iou)[1]
            np.testing.assert_allclose(found, expected)

    def test_average_precision_of_known_lists(self):
        scores = np.float32([0.9, 0.8, 0.7])
        self.assertAlmostEqual(average_precision(scores, np.array([1, 1, 1], bool), 3), 1.0)
        self.assertAlmostEqual(average_precision(scores, np.array([1, 0, 0], bool), 2), 51 / 101,
                               places=2)


if __name__ == "__main__":
    unittest.main()
