"""Stand for a program that a loaded Python runs: ``loaded_launcher.py SOCKET (-m MODULE | -c CODE) …``.

It imports as little as it can: that is most of what it does.
"""

from __future__ import annotations

import marshal
import os
import signal
import socket
import sys

PASSED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def launched(server: socket.socket) -> int:
    """Have the program run, and return how it ended, as ``os.waitpid`` tells it."""
    ignored = [int(one) for one in PASSED if signal.getsignal(one) is signal.SIG_IGN]
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED)  # one that comes before the program runs is passed on then
    folder = os.getcwdb()  # noqa: PTH109 - pathlib takes longer than all of the rest
    request = marshal.dumps((sys.argv[2:], dict(os.environb), folder, ignored))
    socket.send_fds(server, [len(request).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(request)
    for number in set(PASSED).difference(ignored):
        signal.signal(number, lambda passed, _: server.send(bytes([passed])))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED)
    status = server.recv(4, socket.MSG_WAITALL)
    return int.from_bytes(status, "big") if status else signal.SIGKILL


with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[1])
    ended = launched(connection)
if os.WIFSIGNALED(ended):
    signal.signal(os.WTERMSIG(ended), signal.SIG_DFL) if os.WTERMSIG(ended) != signal.SIGKILL else None
    os.kill(os.getpid(), os.WTERMSIG(ended))
os._exit(os.waitstatus_to_exitcode(ended))
