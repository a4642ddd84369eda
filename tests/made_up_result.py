"""Result files of version 2 (results/FORMAT.md) with everything that a report shows, made up."""

LAYERS = [  # name, kind, algo, kernel, cin, cout, kernel size, stride, pixels, MACs, bytes
    ("conv0", "conv", "direct", "stem", 3, 64, 7, 2, 64, 9.6e6, 3.5e5),
    ("pool0", "max_pool", "direct", "max_pool", 64, 64, 3, 2, 32, 0, 3.3e5),
    ("conv1", "conv", "direct", "conv", 64, 64, 1, 1, 16, 1.0e6, 1.5e5),
    ("conv2", "conv", "winograd4", "conv", 64, 64, 3, 1, 16, 9.4e6, 2.8e5),
    ("dense0", "dense", "direct", "fc", 64, 1000, 1, 1, 1, 6.4e4, 2.6e5),
    ("softmax0", "softmax", "direct", "softmax", 1000, 1000, 0, 0, 1, 0, 8.0e3),
]
MACS = sum(layer[9] for layer in LAYERS)
SPEEDS = {"scalar": 2.0, "avx2": 60.0, "avx512": 110.0}  # GFLOP/s of a core
REPETITIONS = 60


def layer(index, row, name, kind, algo, kernel, cin, cout, size, stride, pixels, macs, moved):
    ceiling = row["ceiling_gflops"]
    arithmetic = 2e-6 * macs * row["batch"] / ceiling / (2.25 if algo == "winograd4" else 1)
    loading = moved * row["batch"] / 40e6 / row["threads"]
    ms = max(arithmetic, loading) * (1.4 + 0.3 * list(SPEEDS).index(row["isa"]))
    gflops = 2e-6 * macs * row["batch"] / ms
    relative = ms * ceiling
    return {
        "row": index, "network": row["network"], "isa": row["isa"], "algo": algo, "threads": row["threads"],
        "batch": row["batch"], "name": name, "kind": kind, "cin": cin, "cout": cout, "kernel_size": size,
        "stride": stride, "height": pixels, "width": pixels, "macs": macs * row["batch"], "median_ms": ms,
        "ci_low_ms": 0.99 * ms, "ci_high_ms": 1.02 * ms, "relative_median": relative,
        "relative_ci_low": 0.99 * relative, "relative_ci_high": 1.01 * relative, "gflops": gflops,
        "ceiling_gflops": ceiling, "over_ceiling": gflops / ceiling, "bytes": moved * row["batch"],
        "floor_arithmetic_ms": arithmetic if macs else None, "floor_bytes_ms": loading, "floor_level": "L2",
        "bound_by": "arithmetic" if arithmetic > loading else "bytes", "floor_share": max(arithmetic, loading) / ms,
        "kernel": f"{kernel}__{row['isa']}", "output_hash": f"{len(name):016x}",
    }


def row(isa, threads, batch, cache="hot", slower=1.0, reasons=()):
    speed = SPEEDS[isa] * threads ** 0.95
    ms = slower * 2e-6 * MACS * batch / (0.8 * speed) * (1.3 if cache == "cold" else 1)
    times = sorted(ms * (0.97 + 0.001 * i + (0.2 if i == REPETITIONS - 1 else 0)) for i in range(REPETITIONS))
    return {
        "network": "resnet50_v2", "variant": "gluon", "isa": isa, "algo": "auto", "threads": threads, "batch": batch,
        "instances": 1, "scenario": "latency", "cache": cache, "precision": "fp32", "plan_hash": "0" * 16,
        "median_ms": times[29], "ci_low_ms": times[25], "ci_high_ms": times[33], "p50_ms": times[29],
        "p90_ms": times[53], "p99_ms": times[59], "p99_9_ms": times[59], "min_ms": times[0], "max_ms": times[59],
        "first_ms": None if cache == "cold" else 3 * ms, "repetitions": REPETITIONS, "images_per_s": 1e3 * batch / times[29],
        "gflops": 2e-6 * MACS * batch / times[29], "ceiling_gflops": speed, "over_ceiling": 0.8 / slower,
        "floor_ms": 0.7 * ms, "logits_hash": "00000000000000ab", "verdict": "SUSPECT" if reasons else "VALID",
        "reasons": list(reasons), "notes": [{"code": "turbo", "text": "turbo is on", "advice": "switch it off"}],
        "energy": {"available": False, "reason": "no powercap"},
        "samples": {"ms": times, "ceiling_gflops": [speed] * REPETITIONS, "clock_ghz": [2.0] * REPETITIONS,
                    "at_s": [0.1 * i for i in range(REPETITIONS)]},
    }


def result(cpu="Test CPU", slower=1.0, reasons=(), kernel=None):
    """One result: three ISAs on 1, 2 and 4 threads, batch 1; 2 threads also with batch 4 and cold caches."""
    ways = [(isa, threads, 1) for isa in SPEEDS for threads in (1, 2, 4)] + [("avx512", 2, 4)]
    rows = [row(*way, slower=slower, reasons=reasons) for way in ways]
    layers = [layer(i, one, *shape) for i, one in enumerate(rows) for shape in LAYERS]
    rows.append(row("avx512", 2, 1, "cold", slower, reasons))
    for one in layers:
        one["kernel"] = kernel or one["kernel"]
    bandwidth = [{"level": level, "operation": operation, "isa": "avx512", "threads": threads,
                  "gb_per_s": speed * threads, "buffer_bytes": 16384}
                 for level, speed in (("L1", 300), ("L2", 90), ("DRAM", 12))
                 for operation in ("read", "copy") for threads in (1, 2, 4)]
    fma = [{"isa": isa, "threads": 1, "gflops": speed, "clock_ghz": 2.0, "flops_per_cycle": speed / 2}
           for isa, speed in SPEEDS.items()]
    return {
        "context": {"host_name": "host", "date": "2026-01-02T03:04:05+0000"}, "benchmarks": [],
        "resmark": {
            "version": 2, "resmark_version": "0.1.0", "status": "complete", "compiler": "gcc 12.2.0",
            "build": {"executable_hash": "00000000000000cc", "type": "release"},
            "machine": {"cpu": cpu, "architecture": "x86-64", "cores": 4, "allowed_cores": 4, "quota_cores": 0,
                        "huge_pages": "madvise", "memory_bytes": 8 << 30},
            "network": {"size": 64, "macs": MACS}, "ceilings": {"fma": fma, "bandwidth": bandwidth},
            "end_to_end": rows, "layers": layers,
        },
    }
