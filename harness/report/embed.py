#!/usr/bin/env python3
"""Puts the report's page together and writes it as C: embed.py OUT.c PAGE.html STYLE.css PLOT.js SCRIPT.js...

The page's lines @STYLE@, @PLOT@ and @SCRIPTS@ give way to those files; what stands before and behind
the line @DATA@ becomes the two strings of harness/report/page.h.
"""
import pathlib
import sys


def script(text, path):
    """A script's text, which must not end the element that it stands in."""
    if "</script" in text.lower() or "<!--" in text:
        sys.exit(f"embed.py: {path} has </script or <!-- in it, which would end the page's script")
    return text


def c_byte(byte):
    """A number of the sign that a char of that byte has on the machine."""
    return str(byte) if byte < 128 else f"'\\x{byte:02x}'"


def c_string(name, text):
    """A list of numbers, because compilers warn of string literals as long as these."""
    data = text.encode() + b"\0"
    lines = [",".join(map(c_byte, data[i:i + 32])) for i in range(0, len(data), 32)]
    return f"const char {name}[] = {{\n" + ",\n".join(lines) + "};\n"


def main():
    out, *paths = (pathlib.Path(argument) for argument in sys.argv[1:])
    page, style, plot, *scripts = (path.read_text(encoding="utf-8") for path in paths)
    page = page.replace("@STYLE@\n", style)
    head, tail = page.split("@DATA@\n")
    tail = tail.replace("@PLOT@\n", script(plot, paths[2]))
    tail = tail.replace("@SCRIPTS@\n", script("\n".join(scripts), "harness/report/page"))
    out.write_text('#include "harness/report/page.h"\n\n' + c_string("report_page_head", head)
                   + c_string("report_page_tail", tail), encoding="ascii")


if __name__ == "__main__":
    main()
