"""What a trained YOLOv10 sees in a picture: the only thing that the student learns of it."""
import cv2
import numpy as np

from .sources import COCO_IDS

SIZE = 640


class Teacher:
    """A COCO YOLOv10 as ONNX with its one-to-one head as output, [1, 84, 8400].

    Runs in ONNX Runtime where that is installed, else in OpenCV.
    """

    def __init__(self, path):
        try:
            import onnxruntime
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            name = session.get_inputs()[0].name
            self._run = lambda blob: session.run(None, {name: blob})[0]
        except ImportError:
            net = cv2.dnn.readNetFromONNX(str(path))
            self._run = lambda blob: (net.setInput(blob), net.forward())[1]

    def __call__(self, image):
        """Boxes [8400, 4] in pixels and scores [8400, classes] for a 640 x 640 BGR image."""
        blob = cv2.dnn.blobFromImage(image, 1 / 255, swapRB=True)
        raw = self._run(blob)[0]
        return raw[:4].T.astype(np.float32), raw[4:].T[:, list(COCO_IDS)].astype(np.float32)
