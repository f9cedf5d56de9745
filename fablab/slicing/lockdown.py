"""Lock this process down, then become another program: run as `python -I -S lockdown.py POLICY COMMAND…`.

POLICY is JSON: {"limits": {name: number}, "read": [paths], "write": [paths], "parent": pid}. The standard library only,
no import of ours: the file is executed by path, before anything hostile is read. What the kernel does not offer is left
out (`probe` says so); what it offers must work, or the program is not started.

Landlock: linux/Documentation/userspace-api/landlock.rst. seccomp: `seccomp_init(3)`, `seccomp_rule_add(3)`.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys

EXIT_NOT_STARTED = 125

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, SIGKILL = 1, 38, 9
LANDLOCK_CREATE, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT = 444, 445, 446  # the same numbers on every architecture
LANDLOCK_VERSION_FLAG = 1
PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE, IOCTL_DEV = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
V1_RIGHTS, REFER = (1 << 13) - 1, 1 << 13
DEVICE_AND_SOCKET_RIGHTS = (1 << 6) | (1 << 9) | (1 << 10) | (1 << 11)  # make: character, socket, fifo, block
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
NET_RIGHTS = 0b11  # TCP bind and connect
SCOPES = 0b11  # abstract sockets, signals

ACT_ALLOW, ACT_EPERM = 0x7FFF0000, 0x00050000 | 1
FORBIDDEN = [
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "sendmmsg",
    "recvmmsg",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_open",
    "pidfd_getfd",
    "pidfd_send_signal",
    "kill",
    "tkill",
    "kcmp",
    "unshare",
    "setns",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "fsopen",
    "fsmount",
    "move_mount",
    "open_tree",
    "mount_setattr",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "keyctl",
    "add_key",
    "request_key",
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "open_by_handle_at",
    "name_to_handle_at",
    "swapon",
    "swapoff",
    "reboot",
    "acct",
    "quotactl",
    "settimeofday",
    "clock_settime",
    "sethostname",
    "setuid",
    "setgid",
    "setresuid",
    "setresgid",
    "setgroups",
    "mknod",
    "mknodat",
    "shmget",
    "shmat",
    "msgget",
    "semget",
    "mq_open",
]

libc = ctypes.CDLL(None, use_errno=True)


class RulesetAttributes(ctypes.Structure):
    """struct landlock_ruleset_attr."""

    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class PathBeneath(ctypes.Structure):
    """struct landlock_path_beneath_attr."""

    _pack_ = 1
    _fields_ = [("rights", ctypes.c_uint64), ("fd", ctypes.c_int32)]


def main(arguments: list[str]) -> int:
    """Apply the policy in `arguments[0]` and become the program in the rest; return only when that fails."""
    if arguments == ["--probe"]:
        sys.stdout.write(json.dumps({"landlock": landlock_version(), "seccomp": seccomp_library() is not None}))
        return 0
    policy, command = json.loads(arguments[0]), arguments[1:]
    try:
        die_with(policy["parent"])
        limit(policy["limits"])
        check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
        restrict_files(policy["read"], policy["write"])
        forbid_calls()
        restore_signals()
        os.execv(command[0], command)
    except OSError as error:
        sys.stderr.write(f"lockdown: {error}\n")
    return EXIT_NOT_STARTED


def die_with(parent: int) -> None:
    """Be killed when the parent ends, also when it has ended already."""
    check(libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "parent death signal")
    if os.getppid() != parent:
        raise OSError("the parent is gone")


def restore_signals() -> None:
    """Undo what Python ignores at its start: a program that writes too much must be ended by SIGXFSZ."""
    for number in (signal.SIGXFSZ, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def limit(limits: dict[str, int]) -> None:
    """Set resource limits by their names without RLIMIT_, never above what is allowed already."""
    for name, wanted in limits.items():
        which = getattr(resource, f"RLIMIT_{name}")
        hardest = resource.getrlimit(which)[1]
        value = wanted if hardest == resource.RLIM_INFINITY else min(wanted, hardest)
        resource.setrlimit(which, (value, value))


def landlock_version() -> int:
    """Return the version of Landlock in the kernel, 0 when there is none."""
    return max(0, int(libc.syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(LANDLOCK_VERSION_FLAG))))


def restrict_files(readable: list[str], writable: list[str]) -> None:
    """Leave only these paths, read-only or writable, and no TCP; nothing happens on kernels without Landlock."""
    version = landlock_version()
    if not version:
        return
    handled = V1_RIGHTS | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    handled |= IOCTL_DEV if version >= 5 else 0
    attributes = RulesetAttributes(handled, NET_RIGHTS if version >= 4 else 0, SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = check(
        libc.syscall(LANDLOCK_CREATE, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0)), "Landlock"
    )
    for path in readable:
        allow(ruleset, path, handled & (EXECUTE | READ_FILE | READ_DIR))
    for path in writable:
        allow(ruleset, path, handled & ~DEVICE_AND_SOCKET_RIGHTS & ~EXECUTE)
    check(libc.syscall(LANDLOCK_RESTRICT, ruleset, ctypes.c_uint32(0)), "Landlock")
    os.close(ruleset)


def allow(ruleset: int, path: str, rights: int) -> None:
    """Add one path to the ruleset; a path that does not exist is left out."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    is_folder = os.path.isdir(path)  # noqa: PTH112 - pathlib would double the time to start
    rule = PathBeneath(rights if is_folder else rights & FILE_RIGHTS, place)
    check(libc.syscall(LANDLOCK_ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint32(0)), path)
    os.close(place)


def seccomp_library() -> ctypes.CDLL | None:
    """Return libseccomp when it is installed."""
    try:
        return ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return None


def forbid_calls() -> None:
    """Answer EPERM to sockets, tracing, signals to others, mounting and the like; do nothing without libseccomp."""
    library = seccomp_library()
    if library is None:
        return
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(ACT_ALLOW)))
    for name in FORBIDDEN:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            library.seccomp_rule_add(context, ctypes.c_uint32(ACT_EPERM), number, ctypes.c_uint(0))
    if library.seccomp_load(context) != 0:
        raise OSError("seccomp: the filter was not accepted")


def check(result: int, what: str) -> int:
    """Return the result of a system call, or raise OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
