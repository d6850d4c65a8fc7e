# shellcheck shell=bash disable=SC2034
# Shared by the scripts of this folder: messages, packages, the choice of OpenCV, the build.
# Messages go to stderr; what a script returns goes to stdout.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${VIGIL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vigil}
least_opencv=4.10

# What building and running OpenCV, Vigil and its tests takes on Debian and Ubuntu.
opencv_packages=(g++ cmake ninja-build pkg-config libavcodec-dev libavformat-dev libavutil-dev
    libswscale-dev libjpeg-dev libpng-dev zlib1g-dev)
vigil_packages=(g++ cmake ninja-build pkg-config libprotozero-dev libcli11-dev nlohmann-json3-dev
    libdnnl-dev libyaml-cpp-dev libavcodec-dev libavformat-dev libavutil-dev libswscale-dev)
test_packages=(libgtest-dev libgmock-dev libboost-context-dev ffmpeg)
gui_packages=(qt6-base-dev qt6-svg-dev qt6-tools-dev qt6-tools-dev-tools qt6-l10n-tools
    qt6-translations-l10n fonts-dejavu-core)
gui_test_packages=(fonts-noto-cjk)
least_qt=6.4

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

# Jobs for a parallel build: the processors, but at least 1.5 GB of memory for each.
default_jobs() {
    local jobs memory_jobs
    jobs=$(nproc)
    memory_jobs=$(awk '/^MemTotal/ { print int($2 / 1500000) }' /proc/meminfo)
    ((memory_jobs < jobs)) && jobs=$memory_jobs
    echo $((jobs > 0 ? jobs : 1))
}

# need_packages NAME...: installs those that are missing.
need_packages() {
    if ! command -v dpkg-query > /dev/null; then
        say "No dpkg here: make sure that the equivalents of these packages are installed: $*"
        return
    fi
    local installed missing=() name
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2> /dev/null || true)
    for name in "$@"; do
        grep -qx "$name installed" <<< "$installed" || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo > /dev/null || die "packages are missing and there is no sudo; as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "Installing packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -q >&2 < /dev/null ||
        say "apt-get update reported an error; trying with what it knows"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}" >&2 < /dev/null
}

# need_gui_packages NAME...: Qt and the packages named, where the distribution's Qt is new enough;
# fails where it is not.
need_gui_packages() {
    local candidate
    candidate=$(apt-cache policy qt6-base-dev 2> /dev/null | awk '$1 == "Candidate:" { print $2 }')
    [[ $candidate =~ ^([0-9]+:)?([0-9.]+) ]] || return 1
    at_least "${BASH_REMATCH[2]%.}" "$least_qt" || return 1
    need_packages "${gui_packages[@]}" "$@"
}

# at_least VERSION LEAST
at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]; }

# config_dir FOLDER: where OpenCVConfig.cmake lies in an installation or a build tree.
config_dir() {
    local file
    for file in "$1"/OpenCVConfig.cmake "$1"/lib*/cmake/opencv*/OpenCVConfig.cmake \
        "$1"/lib/*/cmake/opencv*/OpenCVConfig.cmake; do
        if [[ -e $file ]]; then
            dirname "$file"
            return
        fi
    done
    return 1
}

# opencv_version CONFIG_DIR
opencv_version() {
    sed -nE 's/^set\(OpenCV_VERSION "?([0-9.]+)"?\).*/\1/p' "$1/OpenCVConfig-version.cmake"
}

# refuse_old_opencv VERSION WHERE
refuse_old_opencv() {
    at_least "$1" "$least_opencv" ||
        die "OpenCV $1 ($2) is too old: it cannot import YOLOv10 and miscomputes MatMul followed by Mul." \
            "Leave the choice to this script, which builds 5.0.0, or name an OpenCV >= $least_opencv."
}

# system_opencv: installs the distribution's OpenCV and prints its folder.
system_opencv() {
    local candidate
    candidate=$(apt-cache policy libopencv-dev 2> /dev/null | awk '$1 == "Candidate:" { print $2 }')
    [[ $candidate =~ ^([0-9]+:)?([0-9.]+) ]] ||
        die "this distribution offers no libopencv-dev (apt-get update, or leave out --opencv system)"
    refuse_old_opencv "${BASH_REMATCH[2]%.}" "the distribution's"
    need_packages libopencv-dev
    config_dir /usr || die "libopencv-dev is installed but has no OpenCVConfig.cmake"
}

# find_nvcc: prints the path of the CUDA compiler.
find_nvcc() {
    command -v nvcc || command -v "${CUDA_PATH:-/usr/local/cuda}/bin/nvcc" ||
        command -v /usr/local/cuda/bin/nvcc
}

has_nvcc() { find_nvcc > /dev/null; }

# wants_cuda: on request (VIGIL_CUDA), or where there are a GPU and a CUDA toolkit.
wants_cuda() {
    case ${VIGIL_CUDA:-} in
        0 | no | off) return 1 ;;
        ?*) return 0 ;;
    esac
    command -v nvidia-smi > /dev/null && nvidia-smi -L 2> /dev/null | grep -q GPU || return 1
    has_nvcc && return
    say "There is a GPU but no CUDA toolkit (nvcc): building for the CPU."
    return 1
}

# choose_opencv CHOICE: prints the folder of OpenCVConfig.cmake. CHOICE is a folder, "system", a
# version to build, or empty: $OpenCV_DIR if set, else the version that Vigil is made for.
choose_opencv() {
    local choice=${1:-${OpenCV_DIR:-5.0.0}} folder
    case $choice in
        system) system_opencv ;;
        [0-9]*.[0-9]*.[0-9]*)
            local options=(--version "$choice")
            if wants_cuda; then
                options+=(--cuda)
                [[ ${VIGIL_CUDA:-} == *.* ]] && options+=("$VIGIL_CUDA")
            fi
            "$root/tools/get_opencv.sh" "${options[@]}"
            ;;
        *)
            folder=$(config_dir "$choice") ||
                die "no OpenCVConfig.cmake in $choice: name an OpenCV installation, 'system' or a version"
            refuse_old_opencv "$(opencv_version "$folder")" "$folder"
            echo "$folder"
            ;;
    esac
}

# build_vigil PRESET OPENCV_DIR [CMAKE_OPTION...]
build_vigil() {
    local preset=$1 opencv=$2 log
    shift 2
    if command -v ccache > /dev/null; then
        export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root} CCACHE_NOHASHDIR=1
        set -- -DCMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"
    fi
    log=$(mktemp)
    if ! (cd "$root" && cmake --preset "$preset" -DOpenCV_DIR="$opencv" "$@" > "$log" 2>&1); then
        cat "$log" >&2
        rm -f "$log"
        die "CMake could not configure the build"
    fi
    rm -f "$log"
    (cd "$root" && cmake --build --preset "$preset" --parallel "$(default_jobs)") >&2
}
