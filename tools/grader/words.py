"""The ways in which a grade can come to an end early, each with a sentence for a person."""


class Problem(Exception):
    """We were called wrongly, or something of the grader's own is missing: no grade. The text is a sentence."""


class Broken(Exception):
    """A check does not hold: RULE as the check states it, what was EXPECTED, and what was GOT instead."""

    def __init__(self, expected, got):
        super().__init__(f"expected {expected}, got {got}")
        self.expected, self.got = expected, got


class Ended(Exception):
    """The machine is gone or of no use any more (halted, hung, reset, killed); the text says how that came."""


def plural(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names):
    """Names in a sentence: a, b and c."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
