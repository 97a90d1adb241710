/* SPDX-License-Identifier: MIT */
/* The system calls; see calls.h. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "calls.h"
#include "sanitized.h"

/*
 * Calls by name: libseccomp leaves out those that it or the machine does not know.  On another
 * machine, or in another version, a C library uses another call for the same purpose, so all of
 * them are here.
 */
static const char *const of_files[] = {"open", "openat", "close", "read", "readv", "write",
	"writev", "pread64", "preadv", "pwrite64", "pwritev", "lseek", "_llseek", "fstat",
	"fstat64", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx",
	"fsync", "fdatasync", "ftruncate", "ftruncate64", "fallocate", "flock", "fcntl", "fcntl64",
	"access", "faccessat", "faccessat2", "readlink", "readlinkat", "unlink", "unlinkat",
	"rename", "renameat", "renameat2", "mkdir", "mkdirat", "getcwd", "dup", "dup3"};

/* SQLite gives its files the owner and the mode of the database. */
static const char *const of_owners[] = {"fchmod", "fchown", "fchown32"};

static const char *const of_connections[] = {"accept", "accept4", "recv", "recvfrom", "recvmsg",
	"send", "sendto", "sendmsg", "sendfile", "sendfile64", "shutdown", "getsockname",
	"getpeername", "getsockopt", "setsockopt", "poll", "ppoll", "ppoll_time64", "select",
	"_newselect", "pselect6", "pselect6_time64", "epoll_create1", "epoll_ctl", "epoll_wait",
	"epoll_pwait", "epoll_pwait2", "eventfd2"};

/* clone is below.  clone3, whose flags no filter sees, is left out: clone takes its place. */
static const char *const of_threads[] = {"futex", "futex_time64", "set_robust_list", "rseq", "exit",
	"exit_group", "sched_yield", "sched_getaffinity", "gettid", "getpid", "tgkill",
	"membarrier", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn",
	"rt_sigtimedwait", "rt_sigtimedwait_time64", "sigaltstack", "restart_syscall"};

/* mmap and mprotect are below. */
static const char *const of_memory[] = {"munmap", "mremap", "madvise", "brk"};

static const char *const of_time_and_ids[] = {"clock_gettime", "clock_gettime64", "clock_getres",
	"clock_getres_time64", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep",
	"gettimeofday", "time", "getrandom", "getuid", "getuid32", "geteuid", "geteuid32", "getgid",
	"getgid32", "getegid", "getegid32", "getrusage", "getrlimit", "ugetrlimit", "sysinfo",
	"uname"};

/* To connect to the servers that keep the log; bind is for the look-up of their names. */
static const char *const of_clients[] = {"socket", "connect", "bind", "sendmmsg", "recvmmsg"};

#ifdef SANITIZED
/* For the reports of a sanitizer, and for its search for leaks from a second process. */
static const char *const of_sanitizers[] = {"clone", "fork", "vfork", "wait4", "waitid", "prctl",
	"prlimit64", "kill", "tkill", "getdents", "getdents64", "pipe", "pipe2", "dup2", "mincore",
	"msync", "mmap", "mmap2", "mprotect", "arch_prctl", "personality", "getppid",
	"sched_getparam", "sched_getscheduler", "rt_sigqueueinfo", "set_tid_address"};
#endif

/* Only a sanitizer has a use for these. */
static const char *const hostile_but_of_sanitizers[] = {"ptrace", "process_vm_readv"};

/* Only somebody who has taken the process over makes these. */
static const char *const hostile[] = {"execve", "execveat", "process_vm_writev", "mount", "umount",
	"umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsmount", "setns",
	"unshare", "bpf", "perf_event_open", "userfaultfd", "pidfd_getfd", "kexec_load",
	"kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon",
	"swapoff", "add_key", "request_key", "keyctl", "iopl", "ioperm", "setuid", "setuid32",
	"setgid", "setgid32", "setreuid", "setreuid32", "setregid", "setregid32", "setresuid",
	"setresuid32", "setresgid", "setresgid32", "setgroups", "setgroups32", "capset"};

#define NAMES(array) (array), sizeof(array) / sizeof((array)[0])

static const struct group {
	uint32_t action;
	const char *const *names;
	size_t count;
} groups[] = {
	{SCMP_ACT_ALLOW, NAMES(of_files)},
	{SCMP_ACT_ALLOW, NAMES(of_owners)},
	{SCMP_ACT_ALLOW, NAMES(of_connections)},
	{SCMP_ACT_ALLOW, NAMES(of_threads)},
	{SCMP_ACT_ALLOW, NAMES(of_memory)},
	{SCMP_ACT_ALLOW, NAMES(of_time_and_ids)},
#ifdef SANITIZED
	{SCMP_ACT_ALLOW, NAMES(of_sanitizers)},
	{SCMP_ACT_ALLOW, NAMES(hostile_but_of_sanitizers)},
#else
	{SCMP_ACT_KILL_PROCESS, NAMES(hostile_but_of_sanitizers)},
#endif
	{SCMP_ACT_KILL_PROCESS, NAMES(hostile)},
};

/* A call that is allowed if an argument, as far as the mask goes, has that value. */
struct condition {
	const char *name;
	unsigned argument;
	scmp_datum_t mask, value;
};

#define ALL UINT64_MAX

/* In a thread of this process, in no other namespace. */
#define CLONE_MASK                                                                                 \
	(CLONE_THREAD | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |              \
		CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

static const struct condition conditions[] = {
	{"clone", CLONE_FLAGS, CLONE_MASK, CLONE_THREAD},
	{"mmap", 2, PROT_EXEC, 0},
	{"mmap2", 2, PROT_EXEC, 0},
	{"mprotect", 2, PROT_EXEC, 0},
	/* The limits are read, not set. */
	{"prlimit64", 2, ALL, 0},
	{"prctl", 0, ALL, PR_SET_NAME},
	/* Between TLS and the HTTP library; it leads nowhere else. */
	{"socketpair", 0, ALL, AF_UNIX},
	{"ioctl", 1, ALL, TIOCOUTQ},
	{"ioctl", 1, ALL, FIONBIO},
	{"ioctl", 1, ALL, FIONREAD},
	/* Is it a terminal? */
	{"ioctl", 1, ALL, TCGETS},
	{"ioctl", 1, ALL, TIOCGWINSZ},
};

/* By their names.  Return 0 or -errno, as the library does. */
static int add_group(scmp_filter_ctx filter, const struct group *group)
{
	int code = 0;

	for (size_t i = 0; i < group->count && code == 0; i++) {
		int number = seccomp_syscall_resolve_name(group->names[i]);

		if (number != __NR_SCMP_ERROR)
			code = seccomp_rule_add(filter, group->action, number, 0);
	}
	return code;
}

static int add_condition(scmp_filter_ctx filter, const struct condition *condition)
{
	int number = seccomp_syscall_resolve_name(condition->name);

	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
		SCMP_CMP64(condition->argument, SCMP_CMP_MASKED_EQ, condition->mask,
			condition->value));
}

static int fill(scmp_filter_ctx filter, bool connects)
{
	const struct group clients = {SCMP_ACT_ALLOW, NAMES(of_clients)};
	int code = connects ? add_group(filter, &clients) : 0;

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && code == 0; i++)
		code = add_group(filter, &groups[i]);
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]) && code == 0; i++)
		code = add_condition(filter, &conditions[i]);
	return code;
}

int calls_restrict(bool connects)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int code;

	if (filter == NULL)
		return ENOMEM;
	/* The calls of another kind of machine, which have other numbers. */
	seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A tree, not a list: a call is found in few steps. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* An older kernel would slow the processor down, to protect the secrets of a process from
	 * code that it interprets.  The server interprets none. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	code = fill(filter, connects);
	if (code == 0)
		code = seccomp_load(filter);
	seccomp_release(filter);
	return -code;
}
