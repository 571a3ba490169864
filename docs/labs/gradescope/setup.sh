#!/bin/sh
# Gradescope runs this once, when it makes the image.
set -eu
cd /autograder/source/zeropage
tools/setup build run test labs
