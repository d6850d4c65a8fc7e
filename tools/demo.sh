#!/usr/bin/env bash
# Sets everything up and shows OpenCV's street clip in vigil-gui, or runs vigil on it.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat << 'END'
usage: tools/demo.sh [--headless] [--opencv DIR|system|VERSION] [-DNAME=VALUE ...]
                     [-- OPTIONS OF vigil run ...]

Installs packages, builds OpenCV (once) and Vigil, and opens a street clip in the desktop app.
Without a display, with --headless, or with options behind --, it runs vigil on the clip instead:
the annotated video, the detections and a summary land in build/demo/.

  --opencv DIR       an OpenCV >= 4.10 of yours (also: OpenCV_DIR in the environment)
  --opencv system    the distribution's, where it is new enough
  --opencv VERSION   build this one: 5.0.0 (default) or 4.14.0

Environment: VIGIL_MODEL   the ONNX model to run
             VIGIL_SOURCE  a video of yours instead of the clip
             VIGIL_CUDA    1 or architectures (8.6): build OpenCV with CUDA; 0: without, even if
                           there is a GPU
             VIGIL_CACHE   where OpenCV is kept (default ~/.cache/vigil)

  VIGIL_MODEL=best.onnx tools/demo.sh -- --conf 0.4 --classes person,car
END
}

choice='' cmake_options=() headless=''
[[ ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]] || headless=1
while (($#)); do
    case $1 in
        --headless) headless=1 ;;
        --opencv) choice=${2:?--opencv needs a value}; shift ;;
        -D?*) cmake_options+=("$1") ;;
        --) shift; headless=1; break ;;
        -h | --help) usage; exit ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

# find_model: the user's, or the one that comes with Vigil.
find_model() {
    local model=${VIGIL_MODEL:-$root/resources/models/yolov10n-irmb-street.onnx}
    if [[ ! -r $model ]]; then
        [[ ${VIGIL_MODEL:-} ]] && die "VIGIL_MODEL=$VIGIL_MODEL: no such file"
        die "no model yet: name the ONNX file of a YOLOv10, with or without iRMB, as in VIGIL_MODEL=best.onnx tools/demo.sh"
    fi
    realpath "$model"
}

# find_clip OPENCV_DIR: vtest.avi, as OpenCV's sources and Debian's opencv-doc have it.
find_clip() {
    local prefix=${1%/lib*/cmake/*} debian=/usr/share/doc/opencv-doc/examples/data/vtest.avi clip
    if [[ ${VIGIL_SOURCE:-} ]]; then
        echo "$VIGIL_SOURCE"
        return
    fi
    for clip in "$prefix"/share/vigil/vtest.avi "$prefix"/share/opencv?/samples/data/vtest.avi; do
        [[ -r $clip ]] && echo "$clip" && return
    done
    [[ -e $debian || -e $debian.gz ]] || need_packages opencv-doc
    if [[ -e $debian.gz ]]; then
        gunzip --stdout "$debian.gz" > "$output/vtest.avi"
        debian=$output/vtest.avi
    fi
    [[ -r $debian ]] || die "vtest.avi is not here: name another video, as in VIGIL_SOURCE=street.mp4 tools/demo.sh"
    echo "$debian"
}

model=$(find_model)
output=$root/build/demo
need_packages "${vigil_packages[@]}"
if [[ ! $headless ]] && ! need_gui_packages; then
    say "No Qt >= $least_qt here for the desktop app: running vigil instead."
    headless=1
fi
opencv=$(choose_opencv "$choice")
[[ -e $root/build/CMakeCache.txt ]] || cmake_options+=(-DVIGIL_BUILD_TESTS=OFF)
build_vigil default "$opencv" "${cmake_options[@]}"

mkdir -p "$output"
clip=$(find_clip "$opencv")
[[ $clip != */vtest.avi || $clip -ef $output/vtest.avi ]] || ln -sf "$clip" "$output/vtest.avi"
if [[ ! $headless ]]; then
    exec "$root/build/bin/vigil-gui" --model "$model" --source "$clip"
fi
"$root/build/bin/vigil" run --model "$model" --source "$clip" --output "$output/vtest.mkv" \
    --jsonl "$output/vtest.jsonl" --summary "$output/summary.json" "$@"
say "Annotated video: $output/vtest.mkv"
say "Detections:      $output/vtest.jsonl"
say "Summary:         $output/summary.json"
