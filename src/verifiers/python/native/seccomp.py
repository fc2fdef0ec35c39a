"""Which calls of the kernel a program's process may make: those that a Python which computes and reads its library needs.
All others fail as not permitted: files cannot be written, and there are no processes, threads, signals and sockets. Of
`fcntl` it may use what concerns its own descriptors; the rest would send signals and stay behind.
Knows nothing of programs.
"""

import ctypes
import os
import struct

# Names with their numbers on x86_64 and on aarch64; -1 where a machine has none.
_ALLOWED = """
read 0 63, write 1 64, open 2 -1, close 3 57, stat 4 -1, fstat 5 80, lstat 6 -1, poll 7 -1, lseek 8 62, mmap 9 222,
mprotect 10 226, munmap 11 215, brk 12 214, rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139,
pread64 17 67, readv 19 65, writev 20 66, access 21 -1, select 23 -1, sched_yield 24 124, mremap 25 216, madvise 28 233,
nanosleep 35 101, getpid 39 172, exit 60 93, uname 63 160, getcwd 79 17, readlink 89 -1,
umask 95 166, gettimeofday 96 169, getrlimit 97 163, getrusage 98 165, sysinfo 99 179, times 100 153, getuid 102 174, getgid 104 176,
geteuid 107 175, getegid 108 177, getppid 110 173, sigaltstack 131 132, gettid 186 178, time 201 -1, futex 202 98,
sched_getaffinity 204 123, getdents64 217 61, set_tid_address 218 96, clock_gettime 228 113, clock_getres 229 114,
clock_nanosleep 230 115, exit_group 231 94, openat 257 56, newfstatat 262 79, readlinkat 267 78, faccessat 269 48,
pselect6 270 72, ppoll 271 73, set_robust_list 273 99, getrandom 318 278, membarrier 324 283, statx 332 291,
rseq 334 293, faccessat2 439 439
"""

# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC.
_OF_FCNTL = (0, 1, 2, 3, 1030)

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_FCNTL = {"x86_64": 72, "aarch64": 25}
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


_libc = ctypes.CDLL(None, use_errno=True)
_prepared = []


def filter_for_this_machine():
    """Made once, before programs run."""
    from isolation import Refused

    machine = os.uname().machine
    if machine not in _MACHINES:
        raise Refused(f"expected x86_64 or aarch64, got {machine}")
    architecture, column = _MACHINES[machine]
    numbers = [int(entry.split()[1 + column]) for entry in _ALLOWED.split(",")]
    numbers = [number for number in numbers if number >= 0]
    steps = [(_LOAD, 0, 0, 4), (_JUMP_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    steps.append((_JUMP_EQUAL, 0, len(_OF_FCNTL) + 3, _FCNTL[machine]))
    # The lower half of its second argument: there is no more in it.
    steps.append((_LOAD, 0, 0, 24))
    for index, command in enumerate(_OF_FCNTL):
        steps.append((_JUMP_EQUAL, len(_OF_FCNTL) - index, 0, command))
    steps += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    for index, number in enumerate(numbers):
        steps.append((_JUMP_EQUAL, len(numbers) - index, 0, number))
    steps += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    _prepared.append(_Program(len(steps), code))


def install():
    """For this process and for ever."""
    if _libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(_prepared[0]), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel took no filter of its calls")
