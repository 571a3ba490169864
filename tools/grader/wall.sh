#!/bin/sh
# Runs a command behind a wall: as the first process of new namespaces (tools/grader/sandbox.py makes them) this gives it a
# root folder with the system's programs and the named folders in it, and nothing else of this machine.
#   wall.sh MEGABYTES PROCESSES FOLDER HIDDEN... -- READABLE... -- WRITABLE... -- SETPRIV-OPTIONS... -- COMMAND...
# MEGABYTES are for /tmp, PROCESSES may run at a time, FOLDER is where the command starts. HIDDEN folders stay out, also
# where they lie among the system's.
set -eu
PATH=$PATH:/usr/sbin:/sbin
size=$1 processes=$2 start=$3
shift 3

# Every Linux has this folder, and nobody but we see what is put over it here.
root=/sys
mount -t tmpfs -o "size=${size}m,mode=755" tmpfs "$root"

show() {
    mkdir -p "$root$1"
    mount --rbind "$1" "$root$1"
}

show_read_only() {
    show "$1"
    mount -o remount,bind,ro "$root$1"
}

for folder in /usr /bin /sbin /lib /lib32 /lib64 /libx32 /etc /nix /gnu; do
    if [ -L "$folder" ]; then
        cp -P "$folder" "$root$folder"
    elif [ -d "$folder" ]; then
        show_read_only "$folder"
    fi
done
while [ "$1" != -- ]; do
    [ ! -d "$root$1" ] || mount -t tmpfs -o mode=755 tmpfs "$root$1"
    shift
done
shift

mkdir -p "$root/proc" "$root/dev"
mkdir -m 1777 "$root/tmp" "$root/dev/shm"
mount -t proc proc "$root/proc"
ln -s /proc/self/fd "$root/dev/fd"
for device in null zero full random urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
while [ "$1" != -- ]; do
    show_read_only "$1"
    shift
done
shift
while [ "$1" != -- ]; do
    show "$1"
    shift
done
shift
# What is left are the arguments of setpriv. A process whose root was changed can't make namespaces of its own.
exec chroot "$root" prlimit --nproc="$processes" env --chdir="$start" setpriv "$@"
