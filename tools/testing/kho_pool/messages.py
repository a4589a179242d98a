#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each message of the kernel and of khopool is in the guide, and the guide has no others.

The first cells of the tables in Documentation/admin-guide/mm/kho_pool-messages.rst have the
messages, and so have the tables of kho_pool.rst, "When something is wrong".  What printf()
fills in is "..." there.

In the sources every text of two words is a message, unless something below says that it is
not one: so none is missed because it is printed in a new way.  Prints TAP; the rules are also
tried on something that breaks them."""

import ast
import os
import re
import sys

from walls import TOP, Tap, our_sources, read

PAGE = "Documentation/admin-guide/mm/kho_pool-messages.rst"
GUIDE = "Documentation/admin-guide/mm/kho_pool.rst"
GUESTS = "tools/mm/khopool/guests/khopool-guest"
# Files that patches add messages to, for a tree without patches/
PATCHED = ("kernel/liveupdate/kexec_handover.c", "mm/memtest.c")
# Tests, samples, and files of mainline
ELSEWHERE = re.compile(r"samples/|tools/testing/|kernel/liveupdate/kho_|.*/tests/|.*_kunit\.c")
# Names in /proc/iomem, heads of columns, and words that are put into messages
NO_MESSAGES = {"KHO pool", "KHO scratch", "ALLOCS/s FREES/s", "ALLOCS FREES", "an extent",
               "the pools", "control page", "keep list"}
# Files that print what there is: all else that they say is in one of CALLS.
PRINTERS = re.compile(r"tools/mm/khopool/(map_\w+|stat_prom|images_\w+)\.c")
PRINTS = re.compile(r"printf|f?puts|seq_(printf|puts)|json_\w+|MODULE_\w+|args|what|help")
# In these a text of one word is a message, too.
CALLS = re.compile(r"pr_\w+|dev_(err|warn|info)\w*|panic|WARN\w*|error|die|fail|refused|warn"
                   r"|violated|bad\w*")
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|^[ \t]*#[ \t]*include[^\n]*|(?P<text>"(?:\\.|[^"\\\n])*")'
                   r"|'(?:\\.|[^'\\\n])+'|(?P<word>[A-Za-z_]\w*)|(?P<sign>[^\s\\])", re.S | re.M)
DEFINE = re.compile(r'^#define\s+(\w+)\s+"((?:[^"\\\n]|\\.)*)"\s*(?:/\*.*)?$', re.M)
CONVERSION = re.compile(r"%(%|[-+ #0']*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh?|ll?|[zjt])?"
                        r"(?:p[A-Za-z]*|[diouxXcsfeg]))")
TWO_WORDS = re.compile(r"[A-Za-z]{2}.* .*[A-Za-z]{2}")


def normal(text):
    """As the documents have it.  What is wrong with an option is in one row, "--..."."""
    text = re.sub(r"\\(.)", lambda m: " " if m[1] in "nt" else m[1], text)
    text = CONVERSION.sub(lambda m: "%" if m[1] == "%" else "...", text)
    text = " ".join(re.sub(r"\.{4,}", "...", text).split())
    return "--..." if text.startswith("--") else text


def piece(match, macros, begun):
    """What a token adds to a string, or None"""
    word = match["word"]
    if match["text"]:
        return match["text"][1:-1]
    if word and begun and word not in macros:
        # A conversion, or an argument of a macro
        return "llx" if word.startswith("PRI") else "%s"
    return macros.get(word)


def strings(text, macros):
    """Each string: (line, string, calls and members that it is in, is it their first?)"""
    macros = {**macros, **dict(DEFINE.findall(text))}
    calls, run, word, last, member, seen = [], [], "", "", "", set()
    for match in TOKEN.finditer(text):
        part = piece(match, macros, run)
        if part is not None:
            run.append((match.start(), part))
        elif match["word"] or match["sign"]:
            if run:
                yield (text.count("\n", 0, run[0][0]) + 1, "".join(part for _, part in run),
                       [name for name, _ in calls] or [member], tuple(calls) not in seen)
                seen.add(tuple(calls))
                run = []
            sign = match["sign"] or ""
            if sign == "(":
                calls.append((word, match.start()))
            elif sign == ")":
                del calls[-1:]
            elif sign and sign in "{};":
                calls, member = [], ""
            elif last == "." and not calls:
                member = match["word"]
            word, last = match["word"] or "", sign


def messages(path, macros, text):
    """Of each string in C source: (path, line, message, has it to be in the documents?)"""
    for line, string, calls, first in strings(text, macros):
        message = normal(string)
        called = calls and CALLS.fullmatch(calls[-1] or "")
        needed = TWO_WORDS.search(message) or (called and first and re.search("[a-z]", message))
        # What begins so is a part of another one.
        if string[:1] in (" ", ",") or message in NO_MESSAGES or \
                any(PRINTS.fullmatch(name or "") for name in calls) or \
                (PRINTERS.match(path) and not called):
            needed = False
        yield path, line, message, bool(needed)


def texts(node):
    """Strings in a Python expression: (line, string)"""
    if isinstance(node, ast.JoinedStr):
        yield node.lineno, "".join(v.value if isinstance(v, ast.Constant) else "%s"
                                   for v in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts(child)


def python_messages(path, text):
    """The same as messages(), of say() and Failure() in Python source"""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("say", "Failure"):
            for line, string in (one for arg in node.args for one in texts(arg)):
                yield path, line, normal(string), bool(TWO_WORDS.search(normal(string)))


def added(patch):
    """The C source that a patch adds, each line where it is in the patch"""
    lines, is_c = [], False
    for line in patch.splitlines():
        if line.startswith("+++ "):
            is_c = line.endswith((".c", ".h"))
        lines.append(line[1:] if is_c and re.match(r"\+(?!\+\+ )", line) else "")
    return "\n".join(lines)


def all_messages():
    """Those of each folder"""
    found, macros = {}, {}
    for path in our_sources(".h"):
        macros.update(DEFINE.findall(read(path)))

    def note(folder, what):
        found.setdefault(folder, []).extend(what)

    for path in sorted(our_sources(".c")):
        if not ELSEWHERE.match(path):
            note(os.path.dirname(path), messages(path, macros, read(path)))
    if os.path.exists(os.path.join(TOP, GUESTS)):
        note(os.path.dirname(GUESTS), python_messages(GUESTS, read(GUESTS)))
    for at, _, names in os.walk(os.path.join(TOP, "patches")):
        for path in (os.path.relpath(os.path.join(at, name), TOP) for name in sorted(names)):
            if path.endswith(".patch"):
                note("patches", messages(path, macros, added(read(path))))
    for path in PATCHED if "patches" not in found else ():
        if os.path.exists(os.path.join(TOP, path)):
            note("patched files", [(*one[:3], False) for one in messages(path, macros, read(path))])
    return found


def listed(page):
    """What is in the first cells of the page's tables, with its line"""
    return {normal(m[1]): page.count("\n", 0, cell.start(1) + m.start()) + 1
            for cell in re.finditer(r"^   \* - (.*?)^     - ", page, re.M | re.S)
            for m in re.finditer(r"``(.+?)``", cell[1], re.S)}


def in_guide(guide):
    """What is in the first column of the guide's tables, where a number is N or M"""
    part = guide[guide.index("\nWhen something is wrong\n"):guide.index("\nReference\n")]
    return [normal(re.sub(r"\b[NM]\b", "...", text))
            for text in re.findall(r"^``([^`\n]+)``", part, re.M)]


def missing(what, page, guide):
    """Those in neither; the guide may have a message's first words, with "..." at the end."""
    starts = tuple(text[:-3] for text in guide if text.endswith("...") and len(text.split()) > 3)
    return [f"{path}:{line}: {message}" for path, line, message, needed in what
            if needed and not (message in page or message in guide or message.startswith(starts))]


def stale(what, page):
    there = {message for _, _, message, _ in what}
    return [f"{PAGE}:{line}: {message}" for message, line in page.items() if message not in there]


def see_faults(tap):
    code = r'''#define bad_one(w, fmt, ...) bad(w, "one %u: " fmt, w)
int f(void)
{
    pr_err("%s: a " NAME
           " of %#" PRIx64 " bytes\n", x ? "of a kind" : "", y);  /* "in a comment" */
    pr_info("done\n");
    printf("all is well");
    die("--size: %s is too large", s);
    return why ?: "there is none";
}
struct s c = { .help = "what it does", };'''
    found = list(messages("f.c", {"NAME": "page"}, code))
    page = listed("   * - ``...: a page of\n       ... bytes``\n\n       ``done``\n"
                  "     - Because of ``there is none``.\n\n   * - ``--...``\n     - Wrong usage\n")
    tap.seen("what is in no document", missing(found, page, ["of a kind"]), 2)
    tap.seen("what the guide has, or how it begins", missing(found, page, [
        "one ...: ...", "of a ...", "of a kind", "there is no...", "there is none"]), 0)
    tap.seen("what is not in the code", stale(found[2:], page), 1)
    tap.seen("a message in Python", [one for one in python_messages(
        "f.py", "raise Failure(why or f'{a}: no {b} there')\nprint('no message')\n") if one[3]], 1)


def main():
    tap = Tap()
    found, page, guide = all_messages(), listed(read(PAGE)), in_guide(read(GUIDE))
    for folder, what in sorted(found.items()):
        nr = len({one[2] for one in what if one[3]})
        tap.rule(f"- {folder}: {nr} messages", missing(what, page, guide))
    tap.rule(f"- {PAGE}: {len(page)} messages, all of them in the code",
             stale(sum(found.values(), []), page))
    see_faults(tap)
    sys.exit(tap.end())


if __name__ == "__main__":
    main()
