#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""bench.py PROGRAMS: run the benchmark's programs, hold what they say against the
design's targets, print tables, and write it all to PROGRAMS.json."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time

OURS = "kho_pool"
STATES = "fresh", "half full", "fragmented", "nearly full"
# What a pool looks like when hosts are updated; the other states are rare, or attacks.
TYPICAL = "empty", "1 GiB extents", "1 GiB extents, named", "half full, mixed"


def say(text):
    print(text, file=sys.stderr, flush=True)


def allowed_cpu(number):
    """The number-th CPU that we may run on, or the last."""
    cpus = sorted(os.sched_getaffinity(0))
    return {cpus[min(number, len(cpus) - 1)]}


class Lines(threading.Thread):
    """A program that prints a line of JSON a result, read while it runs."""

    def __init__(self, *command, cpu=None, progress=None):
        super().__init__()
        self.records, self.progress, self.command = [], progress, command
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True,
            preexec_fn=cpu and (lambda: os.sched_setaffinity(0, cpu)))
        self.start()

    def run(self):
        for line in self.process.stdout:
            self.records.append(json.loads(line))
            if self.progress:
                self.progress(len(self.records))

    def result(self):
        self.join()
        if self.process.wait():
            sys.exit(f"bench.py: {' '.join(self.command)}: status {self.process.returncode}")
        return self.records


def read_at_handover(programs):
    """Bytes of the index that a restore reads, 1 TiB in 1 GiB extents: counted, not computed."""
    run = subprocess.run([f"{programs}/lines_test"], capture_output=True, text=True, check=False)
    return int(re.search(r"restore reads (\d+) bytes", run.stdout).group(1))


def of_kind(records, kind, **like):
    return [r for r in records if r["kind"] == kind and
            all(r[key] == value for key, value in like.items())]


def ns(value):
    for unit, size in ("s", 1e9), ("ms", 1e6), ("us", 1e3):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} ns"


def percent(share):
    return f"{share:.1%}".replace("%", " %")


def table(rows):
    """Columns as wide as they must be; the first row is the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join([row[0].ljust(widths[0])] +
                        [cell.rjust(w) for cell, w in zip(row[1:], widths[1:])]).rstrip())
        if row is rows[0]:
            print("  ".join("-" * w for w in widths))


def targets(records, trace_rows):
    """(what, limit, measured, met, note) of each row in the design's table."""
    rows = []

    def add(what, limit, text, value, show, note="", at_least=False):
        rows.append({"target": what, "limit": limit, "limit_text": text, "measured": value,
                     "measured_text": show, "note": note,
                     "met": value >= limit if at_least else value <= limit})

    def latency(load, figure, limit, states=STATES):
        ours = [r for r in of_kind(records, "latency", load=load, allocator=OURS)
                if r["state"] in states]
        by_state = {r["state"]: r[figure][0] for r in ours if r[figure]}
        worst = max(by_state, key=by_state.get)
        refused = [f"{r['state']}: {r['asked'] - r['got']} of {r['asked']} refused"
                   for r in ours if r["got"] < r["asked"]]
        each = ", ".join(f"{state} {ns(value)}" for state, value in by_state.items())
        add(f"{load} {figure.split('_', maxsplit=1)[0]}", limit, f"<= {ns(limit)}",
            by_state[worst], ns(by_state[worst]), "; ".join([each] + refused))

    def machine(what, key, limit, show=ns, limit_text=None):
        value = of_kind(records, "large")[0][key]
        value = value[0] if isinstance(value, list) else value
        add(f"{what}, 512 CPUs, 64 TiB", limit, f"<= {limit_text or ns(limit)}", value, show(value))

    # From empty; other states may take twice as long.
    for load, alloc, free in (("4 KiB", 20, 15), ("2 MiB", 20, 15), ("1 GiB", 50, 30),
                              ("64 GiB", 1000, 500)):
        for figure, limit in ("alloc_ns", alloc), ("free_ns", free):
            latency(load, figure, limit, STATES[:1])
            latency(load, figure, 2 * limit, STATES[1:])

    # Of what two CPUs of this machine can do together, each in areas of its own
    shares = {}
    for r in of_kind(records, "threads", allocator=OURS):
        if r["load"] not in ("4 KiB", "2 MiB"):
            continue
        control = of_kind(records, "threads_control", load=r["load"], state=r["state"])[0]
        if r["ratio"] and control["ratio"]:
            shares[f"{r['load']}, {r['state']}"] = r["ratio"][0] / min(2, control["ratio"][0])
    if shares:
        least = min(shares, key=shares.get)
        add("two threads, of two pools' rate", 0.95, ">= 95 %", shares[least],
            percent(shares[least]), least, at_least=True)

    # Whole GiB after a year, beside those who refuse no more
    for fill in dict.fromkeys(r["fill"] for r in trace_rows):
        behind = {}
        for ours in (r for r in trace_rows if r["fill"] == fill and
                     r["allocator"].startswith(OURS)):
            others = [r["whole_mean"] for r in trace_rows
                      if all(r[key] == ours[key] for key in ("mix", "align_mib", "fill")) and
                      not r["allocator"].startswith(OURS) and
                      round(r["failed_share"], 4) <= round(ours["failed_share"], 4)]
            what = f"{ours['allocator']}, {ours['mix']}, {ours['align_mib']} MiB aligned"
            behind[what] = round(max(others, default=0) - ours["whole_mean"], 3)
        worst = max(behind, key=behind.get)
        add(f"churn, {fill:.0%} full: behind the best peer", 0, "in nothing", behind[worst],
            percent(behind[worst]), worst)

    tib = {r["state"]: r for r in of_kind(records, "handover", pool="1 TiB")}
    read = of_kind(records, "read")[0]["bytes"]
    add("index read at handover, 1 TiB in 1 GiB", 64 << 10, "<= 64 KiB", read,
        f"{read / 1024:.1f} KiB",
        f"{tib['1 GiB extents, named']['read_bytes'] / 1024:.1f} KiB if each has a name")
    handovers = of_kind(records, "handover")
    share = max(r["index_bytes"] / (r["gib"] << 30) for r in handovers)
    volatile = max((r["index_bytes"] + r["volatile_bytes"]) / (r["gib"] << 30) for r in handovers)
    add("index reserved, any pool", 1e-4, "<= 0.01 %", share, f"{share * 100:.4f} %",
        f"{volatile * 100:.4f} % with the volatile side, most in a pool of 1 GiB")
    typical = max((r for s, r in tib.items() if s in TYPICAL), key=lambda r: r["rebuild_ns"][0])
    add("rebuild 1 TiB, typical", 1e6, "<= 1 ms", typical["rebuild_ns"][0],
        ns(typical["rebuild_ns"][0]), typical["state"])
    worst = max(tib.values(), key=lambda r: r["rebuild_ns"][0])
    add("rebuild 1 TiB, any state", 1e7, "<= 10 ms", worst["rebuild_ns"][0],
        ns(worst["rebuild_ns"][0]),
        ", ".join(f"{s}: {ns(r['rebuild_ns'][0])}" for s, r in tib.items() if s not in TYPICAL))
    seals = [r for r in handovers if r["seal_ns"]]
    slowest = max(r["seal_ns"][0] for r in seals)
    add("seal", 1e5, "<= 100 us", slowest, ns(slowest), f"{seals[0]['lanes']:.0f} CPUs")
    small, large = (statistics.median(r["seal_ns"][0] for r in seals if r["pool"] == pool)
                    for pool in ("1 GiB", "1 TiB"))
    ratio = large / small
    add("seal, 1 TiB beside 1 GiB", 1.5, "the same", ratio, f"{ratio:.2f} times")
    longest = max(of_kind(records, "longest"), key=lambda r: r["ns"])
    add("interrupts off, any state", 5e4, "<= 50 us", longest["ns"], ns(longest["ns"]),
        f"{longest['state']}: {longest['op']}")
    machine("rebuild", "rebuild_ns", 64e6)
    machine("seal", "seal_ns", 1e5)
    machine("sums for sysfs", "sums_ns", 2e5)
    machine("count of what is free", "count_ns", 5e8)
    machine("volatile memory of a CPU", "bytes_per_cpu", 2048, lambda b: f"{b:.0f} B", "2 KiB")
    root = of_kind(records, "root")[0]
    add("root node", 4096, "<= 4 KiB", root["bytes"], f"{root['bytes']:.0f} B",
        f"60 regions in 8 pools; written in {ns(root['encode_ns'][0])}")
    return rows


def print_targets(rows):
    table([["target", "", "measured", ""]] +
          [[r["target"], r["limit_text"], r["measured_text"], "PASS" if r["met"] else "MISS"]
           for r in rows])
    for r in rows:
        if r["note"]:
            print(f"  {r['target']}: {r['note']}")


def allocators(records):
    return list(dict.fromkeys(r["allocator"] for r in records))


def print_latency(records):
    names = allocators(records)
    rows = [["alloc / free, one thread"] + names]
    for first in (r for r in records if r["allocator"] == OURS):
        row = [f"{first['load']}, {first['state']}"]
        for name in names:
            r = of_kind(records, "latency", load=first["load"], state=first["state"],
                        allocator=name)[0]
            cell = f"{ns(r['alloc_ns'][0])} / {ns(r['free_ns'][0])}" if r["alloc_ns"] else "-"
            if r["got"] < r["asked"]:
                cell += f" ({1 - r['got'] / r['asked']:.0%} refused)"
            elif not r["asked"]:
                cell += " (too large)"
            row.append(cell)
        rows.append(row)
    table(rows)


def print_threads(every):
    records = of_kind(every, "threads")
    if not records:
        return
    names = allocators(records)
    rows = [["two threads, alloc + free / s (/ one)"] + names + ["a pool each"]]
    for first in (r for r in records if r["allocator"] == OURS):
        row = [f"{first['load']}, {first['state']}"]
        for name in names:
            r = of_kind(records, "threads", load=first["load"], state=first["state"],
                        allocator=name)[0]
            row.append(f"{r['two_per_s'][0]:.2e} ({r['ratio'][0]:.2f})" if r["ratio"] else "-")
        control = of_kind(every, "threads_control", load=first["load"], state=first["state"])[0]
        row.append(f"{control['ratio'][0]:.2f}")
        rows.append(row)
    table(rows)


def print_handover(records):
    pools = list(dict.fromkeys(r["pool"] for r in records))
    rows = [["rebuild / seal"] + pools]
    for state in dict.fromkeys(r["state"] for r in records):
        row = [state]
        for pool in pools:
            r = of_kind(records, "handover", state=state, pool=pool)[0]
            row.append(ns(r["rebuild_ns"][0]) +
                       (f" / {ns(r['seal_ns'][0])}" if r["seal_ns"] else ""))
        rows.append(row)
    table(rows)


def print_longest(records):
    """The worst size of each state."""
    rows = [["longest operation, interrupts off", "", "size", "takes"]]
    for key in dict.fromkeys((r["state"], r["op"]) for r in records):
        r = max((r for r in records if (r["state"], r["op"]) == key), key=lambda r: r["ns"])
        kib = r["frames"] * 4
        size = f"{kib:.0f} KiB" if kib < 2048 else f"{kib / 1024:.0f} MiB"
        size = size if kib else f"{r['of']} steps"
        rows.append([r["state"], r["op"], size, ns(r["ns"])])
    table(rows)


def summary(trace):
    """Of all seeds, for each mix, alignment, fill and allocator."""
    rows = []
    for key in dict.fromkeys((r["mix"], r["align_mib"], r["fill"], r["allocator"]) for r in trace):
        runs = [r for r in trace
                if (r["mix"], r["align_mib"], r["fill"], r["allocator"]) == key]
        rows.append({
            "mix": key[0], "align_mib": key[1], "fill": key[2], "allocator": key[3],
            "used_mean": sum(r["used_mean"] for r in runs) / len(runs),
            "whole_mean": sum(r["whole_mean"] for r in runs) / len(runs),
            "whole_worst": min(r["whole_worst"] for r in runs),
            "failed_share": sum(r["failed"] for r in runs) / sum(r["requests"] for r in runs),
        })
    return rows


def print_trace(rows):
    names = allocators(rows)
    out = [["a year: whole GiB mean, worst; failed"] + names]
    for key in dict.fromkeys((r["mix"], r["align_mib"], r["fill"]) for r in rows):
        cells = [r for r in rows if (r["mix"], r["align_mib"], r["fill"]) == key]
        most = max(round(r["whole_mean"], 3) for r in cells)
        least = min(round(r["failed_share"], 4) for r in cells)
        row = [f"{key[0]}, {'1 GiB' if key[1] == 1024 else '2 MiB'} aligned, {key[2]:.0%} full"]
        for r in cells:
            row.append(f"{r['whole_mean']:.1%}{'*' if round(r['whole_mean'], 3) == most else ' '}"
                       f" {r['whole_worst']:6.1%} {r['failed_share']:6.2%}"
                       f"{'*' if round(r['failed_share'], 4) == least else ' '}")
        out.append(row)
    table(out)
    print("  * the best of the row; who refuses more has more left that is whole")


def cpu_model():
    with open("/proc/cpuinfo") as f:
        found = re.search(r"model name\s*: (.*)", f.read())
    return found.group(1) if found else "unknown"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("programs")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    begin, load = time.monotonic(), os.getloadavg()[0]
    if load > 0.5:
        say(f"load average {load:.1f}: others are running, the figures will be noisy")

    seeds = 1 if args.quick else 3
    runs = seeds * 60

    def trace_progress(nr):
        if nr % 15 == 0:
            say(f"trace: {nr} of {runs} runs")

    trace_command = f"{args.programs}/trace", str(seeds)
    bench = [f"{args.programs}/bench"] + ["quick"] * args.quick
    if args.quick:
        # The trace measures no time, so it may run while another program uses one CPU.
        trace = Lines(*trace_command, cpu=allowed_cpu(1), progress=trace_progress)
        records = Lines(*bench, "latency", "handover", "longest",
                        "machine").result()
        trace = trace.result()
        records += Lines(*bench, "threads").result()
    else:
        records = Lines(*bench).result()
        trace = Lines(*trace_command, progress=trace_progress).result()
    records.append({"kind": "read", "bytes": read_at_handover(args.programs)})

    trace_rows = summary(trace)
    rows = targets(records, trace_rows)
    print()
    print_latency(of_kind(records, "latency"))
    print()
    print_threads(records)
    print()
    print_handover(of_kind(records, "handover"))
    print()
    print_longest(of_kind(records, "longest"))
    print()
    print_trace(trace_rows)
    print()
    print_targets(rows)
    out = os.path.relpath(args.programs) + ".json"
    with open(out, "w") as f:
        json.dump({"cpu": cpu_model(), "quick": args.quick, "load_average": load,
                   "seconds": round(time.monotonic() - begin), "targets": rows,
                   "results": records, "trace": trace, "trace_summary": trace_rows}, f, indent=1)
        f.write("\n")
    missed = sum(not r["met"] for r in rows)
    print(f"\n{len(rows) - missed} of {len(rows)} targets met, on {cpu_model()}"
          f"{', not quiet' if load > 0.5 else ''}{', QUICK' if args.quick else ''}")
    print(f"report: {out}")
    sys.exit(bool(missed) and not args.quick)


if __name__ == "__main__":
    main()
