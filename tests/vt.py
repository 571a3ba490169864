"""A small terminal: what is on the screen after these bytes. For tests of programs that move the cursor."""
import re

TOKEN = re.compile(r"\x1b\[([?]?)([0-9;]*)([@A-Za-z])|\x1b([78c])|([^\x1b])", re.DOTALL)


class Screen:
    """ROWS lines of COLUMNS characters, colours left aside; `lines()` is what one sees."""

    def __init__(self, rows=24, columns=80):
        self.rows, self.columns = rows, columns
        self.grid = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self.saved = (0, 0)
        self.top, self.bottom = 0, rows - 1
        self.rest = ""

    def lines(self):
        return ["".join(line).rstrip() for line in self.grid]

    def text(self):
        return "\n".join(self.lines())

    def feed(self, text):
        """Takes more output; a sequence that is cut at its end waits for the rest."""
        text = self.rest + text
        position = 0
        while token := TOKEN.match(text, position):
            position = token.end()
            private, numbers, final, single, character = token.groups()
            if final:
                self.sequence([int(n or 0) for n in numbers.split(";")], final, private)
            elif single:
                self.single(single)
            else:
                self.character(character)
        self.rest = text[position:]

    def character(self, character):
        if character == "\n":
            self.line_feed()
        elif character == "\r":
            self.column = 0
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character == "\t":
            self.column = min(self.columns - 1, self.column // 8 * 8 + 8)
        elif character >= " ":
            if self.column == self.columns:
                self.column = 0
                self.line_feed()
            self.grid[self.row][self.column] = character
            self.column += 1

    def line_feed(self):
        if self.row == self.bottom:
            self.scroll(self.top, 1)
        elif self.row < self.rows - 1:
            self.row += 1

    def scroll(self, first, count):
        for _ in range(count):
            del self.grid[first]
            self.grid.insert(self.bottom, [" "] * self.columns)

    def insert_lines(self, count):
        for _ in range(count):
            del self.grid[self.bottom]
            self.grid.insert(self.row, [" "] * self.columns)

    def single(self, final):
        if final == "7":
            self.saved = (self.row, self.column)
        elif final == "8":
            self.row, self.column = self.saved
        elif final == "c":
            self.__init__(self.rows, self.columns)

    def sequence(self, numbers, final, private):
        count = max(1, numbers[0])
        if private:
            return
        if final == "A":
            self.row = max(0, self.row - count)
        elif final == "B":
            self.row = min(self.rows - 1, self.row + count)
        elif final == "C":
            self.column = min(self.columns - 1, self.column + count)
        elif final == "D":
            self.column = max(0, self.column - count)
        elif final in "Hf":
            self.row = min(self.rows, count) - 1
            self.column = min(self.columns, max(1, numbers[1] if len(numbers) > 1 else 1)) - 1
        elif final == "K":
            self.grid[self.row][min(self.column, self.columns):] = [" "] * max(0, self.columns - self.column)
        elif final == "J":
            for row in range(self.row if numbers[0] == 0 else 0, self.rows):
                self.grid[row] = [" "] * self.columns
        elif final == "L":
            self.insert_lines(count)
        elif final == "r":
            self.top, self.bottom = count - 1, (numbers[1] if len(numbers) > 1 else self.rows) - 1
            self.row = self.column = 0
