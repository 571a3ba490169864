"""/proc/self/maps as a puppet reads it."""


def lines_of_maps(puppet, start, end):
    """[(start, end, rights)] of the mappings within [START, END)."""
    found = []
    for line in puppet.read_file("/proc/self/maps", 3000).decode(errors="replace").split("\n"):
        span, _, rest = line.partition(" ")
        first, dash, last = span.partition("-")
        if dash and start <= int(first, 16) and int(last, 16) <= end:
            found.append((int(first, 16), int(last, 16), rest[:3]))
    return found


def spans(mappings):
    return ", ".join(f"{start:#x}-{end:#x} {rights}" for start, end, rights in mappings) or "none"
