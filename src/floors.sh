#!/bin/sh
# floors.sh - lays out include directories in the build tree, so that a floor's include path holds lower floors only:
# an upward #include then finds no file and does not compile.
#
#   floors.sh public BUILD              BUILD/public/shopdata/version.h -> the generated header
#   floors.sh room BUILD ROOM LOWER...  BUILD/floors/ROOM/X -> src/X for ROOM itself and every LOWER
set -eu

source_root=$(cd "$(dirname "$0")" && pwd)
what=$1
build=$2
shift 2

case $what in
public)
    mkdir -p "$build/public/shopdata"
    ln -sfn "$build/version.h" "$build/public/shopdata/version.h"
    ;;
room)
    room=$1
    rm -rf "$build/floors/$room"
    mkdir -p "$build/floors/$room"
    for visible in "$@"; do
        ln -sfn "$source_root/$visible" "$build/floors/$room/$visible"
    done
    ;;
esac
