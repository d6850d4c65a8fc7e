"""What a trained YOLOv10 sees in a picture: the only thing that the student learns of it."""
import cv2
import numpy as np

from .sources import COCO_IDS

SIZE = 640


class Teacher:
    """A COCO YOLOv10 as ONNX with its one-to-one head as output, [1, 84, 8400].

    Runs in ONNX Runtime where that is installed, else in OpenCV. threads: 0 takes all cores.
    """

    def __init__(self, path, threads=0):
        try:
            import onnxruntime
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            session = onnxruntime.InferenceSession(str(path), options,
                                                   providers=["CPUExecutionProvider"])
            name = session.get_inputs()[0].name
            self._run = lambda blob: session.run(None, {name: blob})[0]
        except ImportError:
            net = cv2.dnn.readNetFromONNX(str(path))
            self._run = lambda blob: (net.setInput(blob), net.forward())[1]

    def all_classes(self, image):
        """Boxes [8400, 4] in pixels and scores [8400, 80] for a 640 x 640 BGR image."""
        blob = cv2.dnn.blobFromImage(image, 1 / 255, swapRB=True)
        raw = self._run(blob)[0].astype(np.float32)
        return raw[:4].T, raw[4:].T

    def __call__(self, image):
        """Boxes [8400, 4] in pixels and scores [8400, classes] for a 640 x 640 BGR image."""
        boxes, scores = self.all_classes(image)
        return boxes, scores[:, list(COCO_IDS)]
