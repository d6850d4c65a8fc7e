#!/usr/bin/env bash
# Trains a YOLOv10-iRMB in a virtual environment of its own; goes on where it was stopped.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat << 'END'
usage: tools/train.sh DATA TEACHER [OPTIONS OF irmb_train.train ...]

  DATA      folder with datasets/ and videos/, see tools/irmb_train/README.md
  TEACHER   ONNX of a COCO YOLOv10 with its one-to-one head as output, [1, 84, 8400]

Environment: VIGIL_SHARDS  hundreds of canvases to make first (default 10)

The canvases land in build/train/canvases, the checkpoint in build/train/run.

  tools/train.sh ../data yolov10n.onnx --steps 20000
END
}

[[ ${1:-} != -h && ${1:-} != --help ]] || { usage; exit; }
(($# >= 2)) || { usage >&2; exit 2; }
data=$(realpath "$1") teacher=$(realpath "$2")
shift 2
need_packages python3-venv
environment=$cache/train
python=$environment/bin/python
if ! "$python" -c 'import torch, torchvision, cv2, onnx, onnxruntime' 2> /dev/null; then
    python3 -m venv "$environment"
    "$python" -m pip install --quiet torch torchvision opencv-python-headless onnx onnxruntime
fi
export PYTHONPATH=$root/tools OMP_WAIT_POLICY=PASSIVE
output=$root/build/train
"$python" -m irmb_train.canvases --data "$data" --teacher "$teacher" \
    --output "$output/canvases" --shards "${VIGIL_SHARDS:-10}"
exec "$python" -m irmb_train.train --canvases "$output/canvases" --output "$output/run" "$@"
