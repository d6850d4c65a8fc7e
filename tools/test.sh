#!/usr/bin/env bash
# Sets everything up and runs all tests.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat << 'END'
usage: tools/test.sh [--opencv DIR|system|VERSION] [--preset NAME] [-DNAME=VALUE ...]
                     [-- OPTIONS OF ctest ...]

Installs packages, builds OpenCV (once), Vigil and its tests, and runs the tests.

  --opencv DIR       an OpenCV >= 4.10 of yours (also: OpenCV_DIR in the environment)
  --opencv system    the distribution's, where it is new enough
  --opencv VERSION   build this one: 5.0.0 (default) or 4.14.0
  --preset NAME      a preset of CMakePresets.json: default, dev, asan, tsan

Environment: VIGIL_TEST_DATA  a folder with models/, videos/ and bad/ for tests on real data, which
                              skip without
             VIGIL_CUDA       1 or architectures (8.6): build OpenCV with CUDA; 0: without
             VIGIL_CACHE      where OpenCV is kept (default ~/.cache/vigil)

  tools/test.sh --preset asan -- --tests-regex Reader
END
}

choice='' preset=default cmake_options=(-DVIGIL_BUILD_TESTS=ON)
while (($#)); do
    case $1 in
        --opencv) choice=${2:?--opencv needs a value}; shift ;;
        --preset) preset=${2:?--preset needs a name}; shift ;;
        -D?*) cmake_options+=("$1") ;;
        --) shift; break ;;
        -h | --help) usage; exit ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

# skip_reasons LOG: each reason for which tests were skipped, with their number.
skip_reasons() {
    sed -nE '/: Skipped$/ { n; s/^[[:space:]]+//; p }' "$1" | sort | uniq -c | sort -rn
}

need_packages "${vigil_packages[@]}" "${test_packages[@]}"
need_gui_packages "${gui_test_packages[@]}" ||
    say "No Qt >= $least_qt here: vigil-gui is neither built nor tested."
opencv=$(choose_opencv "$choice")
build_vigil "$preset" "$opencv" "${cmake_options[@]}"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
(cd "$root" && ctest --preset "$preset" --parallel "$(default_jobs)" --output-log "$log" "$@") ||
    status=$?
folder=$root/build
[[ $preset == default ]] || folder=$root/build-$preset
reasons=$(skip_reasons "$folder/Testing/Temporary/LastTest.log")
if [[ $reasons ]]; then
    say "Skipped tests, by reason:"
    say "$reasons"
fi
exit $status
