#!/bin/sh
# What an operation costs, in counted instructions: never above its limit, never 3 per cent above what was recorded.
cd "$(dirname "$0")/../.." || exit 1
findings=$(tools/bench --check) && echo "ok 1 - no operation costs more than recorded" && echo 1..1 && exit
echo "not ok 1 - no operation costs more than recorded"
echo "$findings" | sed 's/^/#   /' >&2
echo 1..1
