# How tools/setup and tools/doctor read tools/packages: a POSIX shell library, since nothing else may be there yet.

packages_table="$(dirname "$0")/packages"

trim() {
    printf '%s' "$1" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//'
}

# Calls "$1 NAME PROBE MINIMUM FOR APT DNF PACMAN BREW" for each row of the table.
each_tool() {
    action=$1
    sed -e '/^#/d' -e '/^[[:space:]]*$/d' -e 's/[[:space:]]*|[[:space:]]*/|/g' "$packages_table" >"$rows"
    while IFS='|' read -r name probe minimum purpose apt dnf pacman brew; do
        "$action" "$name" "$probe" "$minimum" "$purpose" "$apt" "$dnf" "$pacman" "$(trim "$brew")"
    done <"$rows"
}

# Prints the C compiler that makes x86_64 code, in the Makefile's order of preference.
find_compiler() {
    for candidate in x86_64-elf-gcc x86_64-linux-gnu-gcc; do
        command -v "$candidate" && return
    done
    case $(gcc -dumpmachine 2>/dev/null) in
        x86_64*) command -v gcc ;;
        *) return 1 ;;
    esac
}

# Prints where the thing is that PROBE looks for; fails when it is nowhere.
find_tool() {
    kind=${1%% *} sought=${1#* }
    case $kind in
        compiler) find_compiler ;;
        program)
            for candidate in $(printf '%s' "$sought" | tr , ' '); do
                command -v "$candidate" && return
            done
            return 1 ;;
        file)
            for candidate in $sought; do
                [ -e "$candidate" ] && printf '%s\n' "$candidate" && return
            done
            return 1 ;;
        header)
            compiler=$(find_host_compiler) || return 1
            printf '#include <%s>\n' "$sought" |
                "$compiler" -include stdarg.h -include stddef.h -include stdint.h -include setjmp.h -M -x c - 2>/dev/null |
                tr ' ' '\n' | grep "/$sought\$" | head -n 1 | grep . ;;
        library)
            compiler=$(find_host_compiler) || return 1
            "$compiler" -print-file-name="$sought" | grep / ;;
        *) echo "tools/packages: unknown kind of probe: $1" >&2; exit 2 ;;
    esac
}

find_host_compiler() {
    command -v gcc || command -v cc || command -v clang
}

# Prints the version of the program at PATH: the first thing that looks like one in what it says of itself.
version_of() {
    "$1" --version 2>&1 </dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1
}

# True when version FOUND is MINIMUM or newer.
version_is_enough() {
    printf '%s %s\n' "$1" "$2" | awk '{
        count = split($2, minimum, "."); split($1, found, ".")
        for (i = 1; i <= count; i++) {
            if (found[i] + 0 > minimum[i] + 0) exit 0
            if (found[i] + 0 < minimum[i] + 0) exit 1
        }
    }'
}

# Prints apt, dnf, pacman or brew; fails when the system has none of them.
package_manager() {
    for manager in apt-get dnf pacman brew; do
        if command -v "$manager" >/dev/null; then
            printf '%s\n' "${manager%-get}"
            return
        fi
    done
    return 1
}

# Prints the packages, one a line, that CELL of the table means on this host.
packages_of_cell() {
    host=other
    [ "$(uname -m)" = x86_64 ] && host=x86_64
    printf '%s\n' "$1" | tr , '\n' | sed -e "s/@$host\$//" -e '/@/d' -e '/^[-=]$/d'
}

# Prints the packages that ROW's four cells name for MANAGER.
packages_for() {
    case $1 in
        apt) packages_of_cell "$2" ;;
        dnf) packages_of_cell "$3" ;;
        pacman) packages_of_cell "$4" ;;
        brew) packages_of_cell "$5" ;;
    esac
}

# Prints the command (without sudo) by which MANAGER installs the packages that follow.
install_command() {
    manager=$1
    shift
    case $manager in
        apt) echo "apt-get install -y --no-install-recommends $*" ;;
        dnf) echo "dnf install -y $*" ;;
        pacman) echo "pacman -S --needed --noconfirm $*" ;;
        brew) echo "brew install $*" ;;
    esac
}

# Prints "sudo " when MANAGER needs it and this is not root; fails when it would be needed and is not there.
sudo_for() {
    [ "$1" = brew ] || [ "$(id -u)" = 0 ] && return
    command -v sudo >/dev/null && printf 'sudo '
}
