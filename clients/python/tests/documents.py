"""Reads the skills' documents: what they give as examples, patterns, rules and mistakes, so that it can be played."""

import dataclasses
import json
import re

from . import agents


@dataclasses.dataclass
class Block:
    """A fenced block: its language, what else its first line says, its text, and the line it begins at."""

    language: str
    words: dict
    text: str
    line: int


@dataclasses.dataclass
class Section:
    """What stands below a heading, up to the next one of its depth or less."""

    title: str
    blocks: list
    text: str


@dataclasses.dataclass
class Call:
    """A call that the document makes, and what it says that comes back: lines, in which `…` stands for anything."""

    tool: str
    arguments: dict
    words: dict
    line: int
    expected: str | None = None


class Document:
    def __init__(self, name):
        self.name = name
        self.text = (agents.SKILLS / name / "SKILL.md").read_text()
        _, self.front, self.body = self.text.split("---\n", 2)

    def sections(self, title, depth=2):
        """The sections below the heading `title`; the heading's own, if it has none below it."""
        (whole,) = [part for part in self._split(self.text, depth) if part.title == title]
        return self._split(whole.text, depth + 1) or [whole]

    def _split(self, text, depth):
        found, fence, lines, title = [], False, [], None
        for line in [*text.splitlines(), "#" * depth + " end"]:
            fence ^= line.startswith("```")
            if not fence and line.startswith("#" * depth + " "):
                if title is not None:
                    found.append(self._section(title, "\n".join(lines)))
                title, lines = line[depth + 1 :], []
            else:
                lines.append(line)
        return found

    def _section(self, title, text):
        begins = self.text.index(text)
        blocks = []
        for match in re.finditer(r"^```(\S*) ?(.*)\n((?:.*\n)*?)```$", text, re.M):
            words = dict(word.partition("=")[::2] for word in match[2].split())
            line = self.text.count("\n", 0, begins + match.start()) + 1
            blocks.append(Block(match[1], words, match[3].rstrip("\n"), line))
        return Section(title, blocks, text)

    def examples(self):
        """The calls of `## Examples`, by the section they stand in."""
        for section in self.sections("Examples"):
            tool = re.match(r"`(\w+)`: ", section.title)[1]
            yield section.title, list(calls(section.blocks, tool))

    def patterns(self):
        """The calls of `## Patterns`, by pattern."""
        for section in self.sections("Patterns"):
            yield section.title, list(calls(section.blocks, None))

    def rules(self):
        """What each rule says first."""
        (section,) = self.sections("Rules")
        rules = re.findall(r"^\d+\. ((?:.+\n?)(?: {3}.+\n?)*)", section.text, re.M)
        return [re.match(r"\*\*(.+?)\*\*", " ".join(rule.split()))[1].rstrip(".") for rule in rules]

    def mistakes(self):
        """Each mistake, with what is said to happen."""
        (section,) = self.sections("Common mistakes")
        return {row[0]: row[1] for row in rows(section.text)}


def rows(text):
    """The rows of a table, without its head."""
    lines = [line.strip()[1:-1].split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def calls(blocks, tool):
    """Calls, each with the block of text after it, which is what comes back."""
    found = None
    for block in blocks:
        if block.language == "text":
            assert found and found.expected is None, f"line {block.line}: an answer to nothing"
            found.expected = block.text
            continue
        if found:
            yield found
        if block.language in ("python", "javascript", "typescript"):
            words = {key: block.words[key] for key in ("output_filename",) if key in block.words}
            if block.language != "python":
                words["language"] = block.language
            found = Call("execute_code", {"code": block.text + "\n"} | words, block.words, block.line)
        elif block.language == "sh":
            found = Call("execute_command", {"command": block.text}, block.words, block.line)
        elif block.language == "json":
            found = Call(block.words.get("tool", tool), json.loads(block.text), block.words, block.line)
        else:
            raise AssertionError(f"line {block.line}: a block of `{block.language}`")
    if found:
        yield found


def says(text, expected):
    """Whether these lines come one after another in a text; `…` stands for anything, at an end for more lines too."""
    pattern = "".join(".*" if part == "…" else re.escape(part) for part in re.split("(…)", expected))
    return re.search(pattern, text, re.S) is not None
