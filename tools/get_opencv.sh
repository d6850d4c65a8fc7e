#!/usr/bin/env bash
# Builds a lean OpenCV once, into a cache folder, and prints where its OpenCVConfig.cmake lies.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat << 'END'
usage: tools/get_opencv.sh [--version 5.0.0|4.14.0] [--cuda [ARCHS]] [--prefix DIR] [--jobs N]
                           [--print-dir]

Builds OpenCV (core, imgproc, imgcodecs, videoio, dnn; FFmpeg and V4L2) unless that was done
before, and prints the folder to give to CMake as OpenCV_DIR.

  --version V      5.0.0 (default) or 4.14.0
  --cuda [ARCHS]   with CUDA, cuDNN and cuBLAS. ARCHS such as 8.6,9.0; default: those of the GPUs
                   of this machine, or 7.5,8.0,9.0 where there is none
  --prefix DIR     install to DIR instead of the cache
  --jobs N         compile N files at a time
  --print-dir      build nothing: print the folder and end with 0 if it is ready, else with 1

The cache is $VIGIL_CACHE, else $XDG_CACHE_HOME/vigil, else ~/.cache/vigil.

  tools/get_opencv.sh --version 4.14.0 --prefix ~/opencv-4.14
  cmake -DOpenCV_DIR="$(tools/get_opencv.sh)" -B build
END
}

# Archives and their SHA-256. Upstream's are those that several package collections agree on.
declare -A checksums=(
    [opencv-5.0.0.tar.gz]=b0528f5a1d379d59d4701cb28c36e22214cc51cf64594e5b56f2d3e6c0233095
    [opencv_contrib-5.0.0.tar.gz]=c58f6344170c39abf187c56f3843b59cab1fd3e89cf19ba2ce25dc061659b27f
    [opencv_contrib_python-5.0.0.93.tar.gz]=da0ba61096b08c63cb4440d8fd6f323835cbb78b714c5ba22a39e1db68c83166
    [opencv-4.14.0.tar.gz]=ee8fb9b30eb60850431b4656447080e3737b56e45719c92b67f245950609f86e
    [opencv_contrib-4.14.0.tar.gz]=4f17abd1bc7f88e19c3380c8de7cbf2d863aced5b5ee8d8934cc7902b67d42c9
    [opencv_contrib_python-4.14.0.94.tar.gz]=f2e58020b9f54d68b49553a161327ae1bbc47da68e147231d444c915ee4cab4c
)
# The PyPI release of opencv-contrib-python that carries each version's sources.
declare -A pypi_releases=([5.0.0]=5.0.0.93 [4.14.0]=4.14.0.94)

version=5.0.0 cuda='' archs='' prefix='' jobs='' print_dir=''
while (($#)); do
    case $1 in
        --version) version=${2:-}; shift ;;
        --cuda)
            cuda=1
            if [[ ${2:-} =~ ^[0-9]+\.[0-9]+(,[0-9]+\.[0-9]+)*$ ]]; then archs=$2; shift; fi
            ;;
        --prefix) prefix=$(realpath -m "${2:?--prefix needs a folder}"); shift ;;
        --jobs) jobs=${2:?--jobs needs a number}; shift ;;
        --print-dir) print_dir=1 ;;
        -h | --help) usage; exit ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
[[ -n ${pypi_releases[$version]:-} ]] ||
    die "version '$version' is not known here: choose one of ${!pypi_releases[*]}"

gpu_archs() {
    nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2> /dev/null | sort -u | paste -sd, ||
        true
}

# The instruction sets of the code: AVX2 throughout where this processor has it (docs/building.md
# tells what that brings), else OpenCV's own default.
instruction_sets() {
    if grep -qw avx2 /proc/cpuinfo && grep -qw fma /proc/cpuinfo; then
        printf -- '-D%s\n' CPU_BASELINE=AVX2 'CPU_DISPATCH=AVX512_SKX'
    fi
}

# CMake's options: what Vigil uses, nothing that is downloaded while configuring. The libraries
# find each other wherever the folder is moved to.
recipe() {
    instruction_sets
    printf -- '-D%s\n' \
        CMAKE_BUILD_TYPE=Release 'CMAKE_INSTALL_RPATH=$ORIGIN' BUILD_LIST="core,imgproc,imgcodecs,videoio,dnn${cuda:+,cudev}" \
        BUILD_TESTS=OFF BUILD_PERF_TESTS=OFF BUILD_EXAMPLES=OFF BUILD_DOCS=OFF BUILD_JAVA=OFF \
        BUILD_opencv_apps=OFF BUILD_opencv_js=OFF BUILD_opencv_python3=OFF \
        OPENCV_PYTHON_SKIP_DETECTION=ON OPENCV_GENERATE_SETUPVARS=OFF ENABLE_CCACHE=OFF \
        WITH_FFMPEG=ON OPENCV_FFMPEG_ENABLE_LIBAVDEVICE=OFF WITH_V4L=ON WITH_JPEG=ON WITH_PNG=ON \
        WITH_PROTOBUF=ON BUILD_PROTOBUF=ON WITH_FLATBUFFERS=OFF OPENCV_DNN_OPENCL=OFF \
        WITH_1394=OFF WITH_ADE=OFF WITH_AVIF=OFF WITH_EIGEN=OFF WITH_GDAL=OFF WITH_GDCM=OFF \
        WITH_GSTREAMER=OFF WITH_GTK=OFF WITH_IPP=OFF WITH_ITT=OFF WITH_JASPER=OFF WITH_JPEGXL=OFF \
        WITH_LAPACK=OFF WITH_OBSENSOR=OFF WITH_OPENCL=OFF WITH_OPENEXR=OFF WITH_OPENJPEG=OFF \
        WITH_QT=OFF WITH_TIFF=OFF WITH_UNIFONT=OFF WITH_VA=OFF WITH_VTK=OFF WITH_VULKAN=OFF \
        WITH_WAYLAND=OFF WITH_WEBP=OFF
    if [[ $cuda ]]; then
        # CUDA as a language of CMake: links the CUDA runtime as a shared library, and not NPP.
        printf -- '-D%s\n' WITH_CUDA=ON WITH_CUDNN=ON WITH_CUBLAS=ON OPENCV_DNN_CUDA=ON \
            WITH_CUFFT=OFF WITH_NVCUVID=OFF WITH_NVCUVENC=OFF ENABLE_CUDA_FIRST_CLASS_LANGUAGE=ON \
            CUDA_ARCH_BIN="$archs" CUDA_ARCH_PTX="${archs##*,}" CMAKE_CUDA_COMPILER="$(find_nvcc)"
    else
        printf -- '-D%s\n' WITH_CUDA=OFF
    fi
}

if [[ $cuda && -z $print_dir ]]; then
    has_nvcc || die "--cuda needs the CUDA toolkit (nvcc) and cuDNN: install them, or leave it out"
fi
if [[ $cuda && -z $archs ]]; then
    archs=$(gpu_archs)
    archs=${archs:-7.5,8.0,9.0}
fi
# What the build depends on decides its name in the cache.
distribution=$(grep -sE '^(ID|VERSION_ID)=' /etc/os-release || true)
fingerprint=$(printf '%s\n' "$distribution" "$(uname -m)" "$prefix" "$(recipe)" | sha256sum)
key=opencv-$version-$([[ $cuda ]] && echo cuda || echo cpu)-${fingerprint:0:10}
prefix=${prefix:-$cache/$key}
stamp=$prefix/share/vigil/opencv.stamp
work=$cache/build/$key

ready() { [[ $(cat "$stamp" 2> /dev/null) == "$key" ]]; }

if [[ $print_dir ]]; then
    config_dir "$prefix" || echo "$prefix"
    ready
    exit
fi

# fetched ARCHIVE: it is in the cache and intact.
fetched() {
    [[ -e $cache/src/$1 ]] && sha256sum --quiet --check - <<< "${checksums[$1]}  $cache/src/$1" \
        > /dev/null 2>&1
}

# keep ARCHIVE: moves a finished download into place if its checksum is right.
keep() {
    if ! sha256sum --quiet --check - <<< "${checksums[$1]}  $cache/src/$1.part" > /dev/null 2>&1; then
        say "$1: wrong checksum, discarded"
        rm -f "$cache/src/$1.part"
        return 1
    fi
    mv "$cache/src/$1.part" "$cache/src/$1"
}

from_upstream() { # REPOSITORY
    local archive=$1-$version.tar.gz meter=--silent
    fetched "$archive" && return
    [[ -t 2 ]] && meter=--progress-bar
    say "Downloading $archive"
    curl --fail --location --show-error "$meter" --connect-timeout 15 --speed-limit 1000 \
        --speed-time 60 --output "$cache/src/$archive.part" \
        "https://github.com/opencv/$1/archive/refs/tags/$version.tar.gz" && keep "$archive"
}

from_pypi() {
    local release=${pypi_releases[$version]} archive
    archive=opencv_contrib_python-$release.tar.gz
    fetched "$archive" && return
    python3 -m pip --version > /dev/null 2>&1 || need_packages python3-pip
    say "Downloading $archive from the Python package index"
    python3 "$root/tools/fetch_sdist.py" "opencv-contrib-python==$release" \
        "$cache/src/$archive.part" && keep "$archive"
}

# fetch: gets the sources and unpacks them into $work/source.
fetch() {
    local source=$work/source sdist=opencv_contrib_python-${pypi_releases[$version]}.tar.gz
    [[ -e $source/complete ]] && return
    mkdir -p "$cache/src"
    rm -rf "$source"
    mkdir -p "$source/opencv" "$source/opencv_contrib"
    if ! fetched "$sdist" && from_upstream opencv && { [[ ! $cuda ]] || from_upstream opencv_contrib; }; then
        tar -xzf "$cache/src/opencv-$version.tar.gz" -C "$source/opencv" --strip-components=1
        if [[ $cuda ]]; then
            tar -xzf "$cache/src/opencv_contrib-$version.tar.gz" -C "$source/opencv_contrib" \
                --strip-components=1
        fi
    else
        from_pypi || die "could not download OpenCV $version: neither upstream nor the Python package index answered"
        tar -xzf "$cache/src/$sdist" -C "$source" --strip-components=1 --wildcards \
            '*/opencv/*' '*/opencv_contrib/modules/cudev/*'
    fi
    touch "$source/complete"
}

# progress: ninja's output as one moving line, or one line each 5 % where there is no terminal.
progress() {
    local line begin=$SECONDS shown=-5 percent left
    while IFS= read -r line; do
        [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
        percent=$((100 * BASH_REMATCH[1] / BASH_REMATCH[2]))
        left=$(((SECONDS - begin) * (BASH_REMATCH[2] - BASH_REMATCH[1]) / BASH_REMATCH[1]))
        line=$(printf 'OpenCV %s: %3d %% (%d of %d), about %d:%02d left' "$version" "$percent" \
            "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" $((left / 60)) $((left % 60)))
        if [[ -t 2 ]]; then
            printf '\r%s\e[K' "$line" >&2
        elif ((percent >= shown + 5)); then
            say "$line"
            shown=$percent
        fi
    done
    [[ -t 2 ]] && printf '\r\e[K' >&2
    return 0
}

# npp_headers: prints the folder of NPP's headers where the toolkit lacks them. OpenCV's core module
# includes them but calls none of NPP's functions.
npp_headers() {
    local nvcc toolkit major package folder download
    nvcc=$(find_nvcc)
    toolkit=$(dirname "$(dirname "$(realpath "$nvcc")")")
    compgen -G "$toolkit/include/npp.h" > /dev/null && return
    compgen -G "$toolkit/targets/*/include/npp.h" > /dev/null && return
    major=$("$nvcc" --version | sed -nE 's/.*release ([0-9]+)\..*/\1/p')
    folder=$cache/npp-$major
    if [[ ! -e $folder/npp.h ]]; then
        package=nvidia-npp
        ((major < 13)) && package+=-cu$major
        say "The CUDA toolkit in $toolkit has no NPP: taking its headers from the Python package $package"
        python3 -m pip --version > /dev/null 2>&1 || need_packages python3-pip
        download=$(mktemp -d)
        python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$download" \
            "$package==$major.*" >&2 && python3 -m zipfile -e "$download"/*.whl "$download" ||
            die "NPP is missing from $toolkit and $package could not be downloaded: install the toolkit's NPP (libnpp-dev)"
        mkdir -p "$folder"
        find "$download" -name 'npp*.h' -exec cp -t "$folder" {} +
        rm -rf "$download"
    fi
    echo "$folder"
}

configure() {
    local options=() npp
    mapfile -t options < <(recipe)
    if [[ $cuda ]]; then
        npp=$(npp_headers)
        options+=(-DOPENCV_EXTRA_MODULES_PATH="$work/source/opencv_contrib/modules")
        [[ $npp ]] && options+=(-DCMAKE_{CXX,CUDA}_FLAGS="-isystem $npp")
    fi
    if command -v ccache > /dev/null; then
        export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1
        options+=(-DCMAKE_{C,CXX,CUDA}_COMPILER_LAUNCHER=ccache)
    fi
    if ! cmake -G Ninja -S "$work/source/opencv" -B "$work/build" "${options[@]}" \
        -DCMAKE_INSTALL_PREFIX="$prefix" > "$work/configure.log" 2>&1; then
        tail -n 30 "$work/configure.log" >&2
        die "configuring OpenCV failed; see $work/configure.log"
    fi
}

check_configuration() {
    grep -qE '^-- +FFMPEG: +YES' "$work/configure.log" ||
        die "OpenCV would be built without FFmpeg; see $work/configure.log"
    [[ ! $cuda ]] || grep -qE '^-- +cuDNN: +YES' "$work/configure.log" ||
        die "OpenCV would be built without CUDA or cuDNN: install the CUDA toolkit with NPP and cuBLAS, and cuDNN, or leave out --cuda; see $work/configure.log"
}

build() {
    local begin=$SECONDS
    if ! ninja -C "$work/build" -j "${jobs:-$(default_jobs)}" 2>&1 | tee "$work/build.log" | progress; then
        grep -m 1 -A 30 '^FAILED' "$work/build.log" >&2
        die "building OpenCV failed; see $work/build.log"
    fi
    cmake --install "$work/build" --strip > "$work/install.log" 2>&1 ||
        die "installing OpenCV to $prefix failed; see $work/install.log"
    [[ $cuda ]] && keep_private_headers
    mkdir -p "$(dirname "$stamp")"
    cp "$work/source/opencv/samples/data/vtest.avi" "$(dirname "$stamp")/"
    echo "$key" > "$stamp"
    say "OpenCV $version: built in $(((SECONDS - begin) / 60)) min, installed in $prefix"
}

# keep_private_headers: those that Vigil's CUDA adapter is compiled with, laid out as in the sources.
keep_private_headers() {
    local folder=$prefix/share/vigil/opencv
    rm -rf "$folder"
    mkdir -p "$folder"
    tar -C "$work/source/opencv" -c modules/core/include/opencv2/core/version.hpp \
        modules/dnn/src/op_cuda.hpp modules/dnn/src/cuda4dnn modules/dnn/src/cuda |
        tar -C "$folder" -x
}

# build_once: builds unless that was done, or is being done by another process.
build_once() {
    ready && return
    mkdir -p "$work"
    exec 9> "$cache/build/$key.lock"
    if ! flock --nonblock 9; then
        say "Another process is building OpenCV $version: waiting for it"
        flock 9
    fi
    ready && return
    say "Building OpenCV $version: 10 to 40 minutes, once (cache: $cache)"
    fetch
    configure
    check_configuration
    build
    rm -rf "$work"
}

# In one compound command, so that a change of this file cannot reach a build that is under way.
{
    need_packages "${opencv_packages[@]}" curl ca-certificates
    build_once
    config_dir "$prefix"
    exit
}
