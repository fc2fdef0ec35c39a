"""Shuts this process in: namespaces of its own, a root folder of Python's files alone that nobody can write, no network, no
privileges. Afterwards the caller is the first process of its world; when it dies, all in it die.

Works for root, and for others where the kernel lets them make user namespaces. Linux alone. Knows nothing of programs.
"""

import ctypes
import os
import signal
import sys

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
NOBODY = 65534
# Where the new root is put together: it is covered in this world alone.
PLACE = "/sys"


class Refused(Exception):
    """Why this machine cannot keep programs in."""


def shut_in():
    if not sys.platform.startswith("linux"):
        raise Refused(f"expected Linux, whose namespaces this needs, got {sys.platform}")
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
    what = "to make namespaces" if user == 0 else "to make namespaces without being root (user namespaces)"
    check(libc.unshare(flags if user == 0 else flags | CLONE_NEWUSER), what)
    if user != 0:
        write("/proc/self/setgroups", "deny")
        write("/proc/self/uid_map", f"0 {user} 1")
        write("/proc/self/gid_map", f"0 {group} 1")
    check(libc.sethostname(b"box", 3), "to have a name of its own")
    make_root(libc)
    become_first(libc)
    drop_privileges(libc, user)


def check(result, what):
    if result != 0:
        raise Refused(f"expected leave {what}: {os.strerror(ctypes.get_errno())}")


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def make_root(libc):
    """A root of Python's own folders and the libraries of the system, read-only; everything else is gone."""

    def mount(source, target, kind, flags):
        options = b"mode=755" if kind == "tmpfs" else None
        code = libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, options)
        check(code, f"to mount {target}")

    mount("none", "/", "", MS_REC | MS_PRIVATE)
    mount("none", PLACE, "tmpfs", MS_NOSUID | MS_NODEV)
    for path in folders():
        target = PLACE + path
        if os.path.islink(path):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(os.readlink(path), target)
            continue
        if os.path.exists(target):
            continue
        os.makedirs(target)
        mount(path, target, "", MS_BIND | MS_REC)
        # Flags that the host has set cannot be taken away by others than root.
        kept = os.statvfs(target).f_flag & (8 | 1024 | 2048)
        mount("none", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | kept)
    os.chdir(PLACE)
    check(libc.syscall(pivot_root_number(), b".", b"."), "to change the root folder")
    check(libc.umount2(b".", MNT_DETACH), "to leave the old root folder")
    os.chdir("/")
    mount("none", "/", "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)


def folders():
    own = {os.path.realpath(path) for path in (sys.prefix, sys.base_prefix)}
    system = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"]
    own = {path for path in own if path not in ("/", "/usr", "/usr/local")}
    return [path for path in (*system, *sorted(own)) if os.path.isdir(path)]


def pivot_root_number():
    machine = os.uname().machine
    numbers = {"x86_64": 155, "aarch64": 41}
    if machine not in numbers:
        raise Refused(f"expected x86_64 or aarch64, got {machine}")
    return numbers[machine]


def become_first(libc):
    """The first process of a world cannot be killed from inside, and takes all others with it."""
    child = os.fork()
    if child != 0:
        # Ends as the other ends; killed, it takes the other along.
        os.close(0)
        _, status = os.waitpid(child, 0)
        os._exit(1 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "to end with who started it")


def drop_privileges(libc, user):
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if user == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    check(libc.capset(header, (ctypes.c_uint32 * 6)()), "to drop privileges")
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "to renounce privileges")
    check(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "to hide its memory")
    # Changing the user forgets it.
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "to end with who started it")
