#!/bin/sh
# Gradescope runs this once, when it makes the image.
set -eu
export DEBIAN_FRONTEND=noninteractive
root=${AUTOGRADER:-/autograder}
cd "$root/source/zeropage"
command -v git && command -v make && command -v python3 || { apt-get update && apt-get install -y git make python3; }
tools/setup build run test labs
# Ubuntu 22.04 has Python 3.10, which can't read TOML by itself.
python3 -c 'import tomllib' || apt-get install -y python3-tomli
# What is graded runs as another user, who is not to read the solution or another's results.
mkdir -p "$root/results" "$root/submission"
chmod o= "$root/source" "$root/results" "$root/submission"
# Once here, so that no submission waits for it.
. "$root/source/course.sh"
tools/grade --lab "$LAB" --prepare
