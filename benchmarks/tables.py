"""Tables in Markdown, printed row by row as they come."""

from dataclasses import dataclass, field


@dataclass
class Table:
    """Rows under headings; numbers stand right."""

    lines: list[str] = field(default_factory=list)

    def __init__(self, *headings: str) -> None:
        self.lines = []
        self._say("| " + " | ".join(headings) + " |")
        self._say("| " + " | ".join("---" for _ in headings) + " |")

    def add(self, *cells: object) -> None:
        """One more row."""
        self._say("| " + " | ".join(str(cell) for cell in cells) + " |")

    def _say(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)

    def __str__(self) -> str:
        return "\n".join(self.lines)
