#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""plots.py REPORT: draw what bench.py has written into Documentation/mm/kho_pool/, with
gnuplot."""

import json
import os
import subprocess
import sys

from bench import OURS, STATES, of_kind

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "..",
                      "Documentation", "mm", "kho_pool")
# Told apart by those who see few colours, too; ours is the darkest.
COLOURS = {"kho_pool": "#332288", "genalloc first fit": "#88ccee", "genalloc best fit": "#44aa99",
           "gpu_buddy": "#ddcc77", "CMA": "#cc6677"}
LINES = ["#332288", "#88ccee", "#44aa99", "#ddcc77", "#cc6677", "#882255"]
HEAD = """
set terminal svg size {width},{height} noenhanced font "sans-serif,12" background "#ffffff"
set output "{file}"
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
"""


def data(name, rows):
    """A gnuplot data block: the first column is text, "-" is no value."""
    lines = [" ".join(f'"{c}"' if isinstance(c, str) and c != "-" else str(c) for c in row)
             for row in rows]
    return f"${name} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def draw(file, script, width=900, height=600):
    path = os.path.join(FOLDER, file)
    script = HEAD.format(width=width, height=height, file=path) + script
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    with open(path) as f:
        svg = f.read()
    head, body = svg.split("?>", 1)
    with open(path, "w") as f:
        f.write(head + "?>\n<!-- SPDX-License-Identifier: GPL-2.0-only -->" +
                "\n".join(line.rstrip() for line in body.rstrip().split("\n")) + "\n")
    print(f"{path}: {os.path.getsize(path)} bytes")


def bars(block):
    """A plot command: one bar an allocator, beside each other at each text of column 1."""
    return "plot " + ", ".join(
        f"${block} using {i}:xtic(1) lc rgb '{colour}'"
        for i, colour in enumerate(COLOURS.values(), 2)) + "\n"


def legend():
    """One line above all plots; gnuplot's own is as wide as one of them at most."""
    script = ""
    for i, (name, colour) in enumerate(COLOURS.items()):
        x = 0.14 + 0.16 * i
        script += (f"set object {i + 1} rectangle from screen {x - 0.03},0.925 "
                   f"to screen {x - 0.005},0.945 fc rgb '{colour}' fs solid noborder\n"
                   f"set label {i + 1} '{name}' at screen {x},0.935 left\n")
    return script


BARS = """
set datafile missing "-"
set style data histograms
set style histogram clustered gap 1
set style fill solid noborder
set key off
"""


def alloc(records):
    script = BARS + legend() + """
set multiplot layout 2,2 title "Alloc, one thread, pool of 1 TiB" \\
	margins 0.1,0.98,0.06,0.85 spacing 0.1,0.14
set xrange [-0.7:3.7]
set logscale y
set format y "%.0s %cs"
"""
    for i, load in enumerate(dict.fromkeys(r["load"] for r in of_kind(records, "latency"))):
        rows = []
        for state in STATES:
            of_state = {r["allocator"]: r for r in
                        of_kind(records, "latency", load=load, state=state)}
            rows.append([state] + [of_state[name]["alloc_ns"][0] * 1e-9
                                   if of_state[name]["alloc_ns"] else "-" for name in COLOURS])
        least = min(c for row in rows for c in row[1:] if c != "-")
        most = max(c for row in rows for c in row[1:] if c != "-")
        script += data(f"alloc{i}", rows)
        script += f"set yrange [{least / 3}:{most * 3}]\nset title '{load}' offset 0,-0.7\n"
        script += "set ylabel 'time of one alloc'\n" if i % 2 == 0 else "unset ylabel\n"
        script += bars(f"alloc{i}") + "unset object\nunset label\n"
    draw("bench-alloc.svg", script + "unset multiplot\n", 900, 640)


def by_pool(records, figure, file, title, script, scale):
    """Lines over the pool's size, one for each state."""
    states = [s for s in dict.fromkeys(r["state"] for r in of_kind(records, "handover"))
              if any(r[figure] for r in of_kind(records, "handover", state=s))]
    plots = []
    script = f"""
set title "{title}"
set logscale x 2
set xlabel "size of the pool"
set xtics ("1 GiB" 1, "64 GiB" 64, "1 TiB" 1024, "16 TiB" 16384)
set xrange [0.7:24000]
set key outside right center
{script}
"""
    for i, state in enumerate(states):
        rows = [[r["gib"]] + [value * scale for value in r[figure]]
                for r in of_kind(records, "handover", state=state)]
        script += data(f"state{i}", rows)
        plots.append(f"$state{i} using 1:2 with linespoints lw 2 pt 7 ps 0.7 "
                     f"lc rgb '{LINES[i]}' title '{state}'")
    draw(file, script + "plot " + ", ".join(plots) + "\n", 900, 480)


def threads(records):
    script = BARS + legend() + """
set multiplot layout 2,1 title "Two threads on two CPUs: alloc and free, pool of 1 TiB" \
	margins 0.1,0.98,0.09,0.88 spacing 0.1,0.1
set logscale y
set format y "%.0s%c/s"
set yrange [300:]
set ylabel "pairs of both threads"
"""
    if not of_kind(records, "threads"):
        return
    for figure in "two_per_s", "ratio":
        rows = []
        for first in of_kind(records, "threads", allocator=OURS):
            of_state = {r["allocator"]: r[figure] for r in
                        of_kind(records, "threads", load=first["load"], state=first["state"])}
            rows.append([f"{first['load']}\\n{first['state']}"] +
                        [of_state[name][0] if of_state[name] and of_state[name][0] else "-"
                         for name in COLOURS])
        script += data(figure, rows) + f"set xrange [-0.7:{len(rows) - 0.3}]\n"
        if figure == "ratio":
            script += """
unset logscale y
set format y "%g"
set ylabel "times that of one thread"
set yrange [0:2.2]
set ytics 0.5
"""
        script += bars(figure) + "unset object\nunset label\n"
    draw("bench-threads.svg", script + "unset multiplot\n", 900, 640)


def fragmentation(rows):
    script = BARS + legend() + """
set multiplot layout 2,2 title "A year of guests, 1 TiB, extents aligned to 1 GiB" \\
	margins 0.1,0.98,0.06,0.85 spacing 0.1,0.14
set xrange [-0.7:2.7]
set yrange [0:100]
set format y "%.0f %%"
"""
    nr = 0
    for figure, title in (("whole_mean", "free memory in whole GiB"),
                          ("failed_share", "requests refused")):
        for mix in ("v1", "v2"):
            of_mix = [r for r in rows if r["mix"] == mix and r["align_mib"] == 1024]
            cells = [[f"{fill:.0%} full".replace("%", " %")] +
                     [next(r[figure] * 100 for r in of_mix
                           if r["fill"] == fill and r["allocator"] == name) for name in COLOURS]
                     for fill in dict.fromkeys(r["fill"] for r in of_mix)]
            script += data(f"mix{nr}", cells)
            script += f"set title 'sizes of {mix}: {title}' offset 0,-0.7\n"
            script += f"set ylabel '{'share of it' if nr < 2 else 'share of them'}'\n" \
                if nr % 2 == 0 else "unset ylabel\n"
            script += bars(f"mix{nr}") + "unset object\nunset label\n"
            nr += 1
    draw("bench-fragmentation.svg", script + "unset multiplot\n", 900, 640)


def main():
    with open(sys.argv[1]) as f:
        bench = json.load(f)
    if bench["quick"]:
        print("plots.py: these are figures of a QUICK run", file=sys.stderr)
    records = bench["results"]
    os.makedirs(FOLDER, exist_ok=True)
    alloc(records)
    by_pool(records, "rebuild_ns", "bench-rebuild.svg",
            "Taking a pool over, caches cold", """
set logscale y
set format y "%.0s %cs"
set ylabel "time of attach and restore"
set arrow from 1024, graph 0 to 1024, 10e-3 nohead lc rgb "#888888" dt 2
set label "limit in any state, 1 TiB" at 1024, 10e-3 right offset -1,0.5
set label "" at 1024, 10e-3 point pt 2
set label "limit, typical" at 1024, 1e-3 right offset -1,0.5
set label "" at 1024, 1e-3 point pt 2
""", 1e-9)
    by_pool(records, "seal_ns", "bench-seal.svg", "Sealing a pool, 256 CPUs", """
set ylabel "time of the seal, ns"
set yrange [0:*]
""", 1)
    threads(records)
    fragmentation(bench["trace_summary"])


if __name__ == "__main__":
    main()
