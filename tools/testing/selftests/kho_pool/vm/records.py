# SPDX-License-Identifier: GPL-2.0-only
"""Do the records that a test's guest has written agree with each other?"""

from guest import say


def dumps_agree(records):
    """Is what khopool shows what sysfs shows?"""
    for record in records:
        root, indexes = record["dump"]["root"], record["dump"]["indexes"]
        sizes = [e["size"] for i in indexes for e in i["extents"]]
        if (root["generation"] != record["generation"] or len(sizes) != record["extents"] or
                sum(r["size"] for p in root["pools"] for r in p["regions"]) !=
                record["pool_bytes"] or
                sum(i["size"] - i["used"] for i in indexes) != record["free_bytes"]):
            return False
    return len(records) == 2


def khopool_agrees(records):
    """Does khopool say the same thing in different commands, and what sysfs says?"""
    for r in records:
        extents = r["ls"]["extents"]
        regions = [region for pool in r["map"]["pools"] for region in pool["regions"]]
        pools = {pool["name"]: pool for pool in r["stat"]["pools"]}
        guest = [e for e in extents if e.get("name") == "guest"]
        notes = [e for e in extents if e.get("name") == "notes"]
        if (len(pools) != r["pools"] or len(extents) != r["extents"] or
                pools["default"]["size_bytes"] != r["size"] or
                [e for region in regions for e in region["extents"]] != extents or
                any(sum(region["size"] for region in pool["regions"]) !=
                    pools[pool["pool"]]["size_bytes"] for pool in r["map"]["pools"]) or
                any(pool["free_bytes"] != pool["size_bytes"] -
                    sum(e["size"] for e in extents if e["pool"] == name)
                    for name, pool in pools.items()) or
                guest != [r["show"]] or guest[0]["size"] != 64 << 20 or
                guest[0]["link"] != "/dev/kho_pool/vm/guest" or
                r["check"]["bytes"] > notes[0]["size"] or len(r["check"]["sha256"]) != 64 or
                r["links"] != {"links": []} or
                not r["kexec"]["args"].startswith("--mem-min=0x") or
                r["kexec"]["command_line"].count("kho_handover=0x") != 1 or
                {e["base"] for e in extents} !=
                {e["base"] for i in r["dump"]["indexes"] for e in i["extents"]} or
                r["verify"] != {"violations": []}):
            return False
    return len(records) == 2


def guests_went_on(records):
    """Has each guest gone on where it was, in every kernel, in huge pages?"""
    for name, size in ("small", 64 << 20), ("large", 1 << 30):
        runs = [r for r in records if r["guest"] == name]
        if [r["kernel"] for r in runs] != [0, 1, 2, 3]:
            return False
        for r in runs:
            # Where KVM counts exits, of which faults are some, they are traced.
            r["faults"] = r.get("traced_faults", r["faults"])
            say(f"{name} in kernel {r['kernel']}: rounds {r['found']} to {r['left']}, "
                f"paused at word {r['position']} of {r['words']}; {r['pages_touched']} pages "
                f"touched, {r['pages_1g']} x 1 GiB, {r['pages_2m']} x 2 MiB, "
                f"{r['pages_4k']} x 4 KiB, {r['faults']} faults, {r['exits']} exits")
            mapped = (r["pages_1g"] << 30) + (r["pages_2m"] << 21)
            if (r["bytes"] != size or r["bad"] or not 0 < r["position"] < r["words"] or
                    mapped != size or r["pages_4k"] or r["left"] <= r["found"] or
                    (r["pages_1g"] != 0) != (r["align"] == 1 << 30) or
                    not 0 < r["faults"] < r["pages_touched"] / 16):
                return False
        if runs[0]["found"] or any(a["left"] != b["found"] for a, b in zip(runs, runs[1:])):
            return False
    return True


def same_cost(records):
    """Does it cost as much to preserve and to retrieve 64 GiB as 1 GiB?"""
    cost = {1: {}, 64: {}}
    for r in records:
        cost[r.pop("size")].update(r)
    for size, values in cost.items():
        say(f"the file of {size} GiB in a session: {values}")
    small, large = cost.values()
    # A tick of the clock in between is a quarter of it.
    return (small.keys() == large.keys() and len(small) == 4 and
            all(0 < large[key] < 2 * small[key] for key in small) and
            large["record_bytes"] == small["record_bytes"] and
            large["preserve_calls"] == small["preserve_calls"])


# By the names that records= has for them
CHECKS = {f.__name__: f for f in (dumps_agree, khopool_agrees, guests_went_on, same_cost)}
