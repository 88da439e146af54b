"""
attack: reads what is mounted, which connections there are and how busy the host is, through its own entries
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import os
import threading

own = (
    *("mountinfo", "mounts", "mountstats", "schedstat", "cgroup", "pagemap", "numa_maps"),
    *("net/dev", "net/tcp", "net/unix", "net/route", "net/arp", "net/fib_trie"),
)
places = ("/proc/self", f"/proc/{os.getpid()}", "/proc/thread-self", f"/proc/self/task/{threading.get_native_id()}")
for place in places:
    for name in own:
        attempt(f"{place}/{name}", lambda: open(f"{place}/{name}", "rb").read(64))
for name in ("/proc/loadavg", "/proc/net/tcp", "/proc/mounts", "/proc/stat", "/proc/vmstat", "/proc/diskstats", "/proc/locks", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "/sys/devices/system/node/node0/vmstat"):
    attempt(name, lambda: open(name, "rb").read(64))
attempt("interfaces", lambda: os.listdir("/sys/class/net"))
