#!/usr/bin/env bash
# Makes the pictures of the documentation: runs vigil-gui on a virtual display.
set -euo pipefail
# shellcheck source=tools/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    cat << 'END'
usage: tools/screenshots.sh MODEL VIDEO [FOLDER]

Runs build/bin/vigil-gui (or the program that VIGIL_GUI names) on a virtual display and saves PNGs of
it to FOLDER (default docs/): gui.png, and with VIGIL_ALL=1 the start page, the panels, the dark theme
and Chinese, at 1280x720 and at 3840x2160 scaled to 200 %.
END
}

(($# >= 2)) || { usage >&2; exit 2; }
model=$(realpath "$1") video=$(realpath "$2") folder=$(realpath "${3:-$root/docs}")
program=${VIGIL_GUI:-$root/build/bin/vigil-gui}
[[ -x $program ]] || die "$program is not built: run tools/demo.sh with a display, or tools/test.sh"
need_packages xvfb xdotool imagemagick openbox

home=$(mktemp -d)
pids=()
cleanup() {
    ((${#pids[@]})) && kill "${pids[@]}" 2> /dev/null
    rm -rf "$home"
}
trap cleanup EXIT
export HOME=$home XDG_CONFIG_HOME=$home/config XDG_RUNTIME_DIR=$home
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS

# start_display NUMBER SIZE
start_display() {
    Xvfb ":$1" -screen 0 "${2}x24" > /dev/null 2>&1 &
    pids+=($!)
    export DISPLAY=:$1
    until xdotool getdisplaygeometry > /dev/null 2>&1; do sleep 0.1; done
    openbox > /dev/null 2>&1 &
    pids+=($!)
}

# settings THEME LANGUAGE: 0 as the system, 1 light, 2 dark
settings() {
    mkdir -p "$home/config/vigil"
    printf '[General]\ntheme=%s\nlanguage=%s\n' "$1" "$2" > "$home/config/vigil/vigil-gui.conf"
}

# shoot NAME SECONDS KEYS -- OPTIONS...: keys are pressed at half time.
shoot() {
    local name=$1 seconds=$2 keys=$3 window
    shift 4
    "$program" "$@" > /dev/null 2>&1 &
    local pid=$!
    window=$(xdotool search --sync --onlyvisible --pid $pid | tail -n 1)
    xdotool windowactivate --sync "$window" windowsize "$window" 100% 100% windowmove "$window" 0 0
    sleep "$((seconds / 2))"
    [[ $keys ]] && xdotool key --delay 150 $keys
    sleep "$((seconds - seconds / 2))"
    import -window root "$folder/$name.png"
    kill $pid
    wait $pid || true
    say "$folder/$name.png"
}

start_display 87 1280x720
settings 1 en
shoot gui 12 '' -- --model "$model" --source "$video"
[[ ${VIGIL_ALL:-} ]] || exit 0
shoot start 4 '' --
settings 2 en
shoot dark 12 '' -- --model "$model" --source "$video"
settings 1 zh_CN
shoot chinese 12 '' -- --model "$model" --source "$video"
start_display 88 3840x2160
export QT_SCALE_FACTOR=2
settings 2 zh_CN
shoot chinese-4k 12 '' -- --model "$model" --source "$video"
settings 1 en
shoot start-4k 4 '' --
