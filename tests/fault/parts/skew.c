/* SPDX-License-Identifier: MIT */
/*
 * A wrong clock; see skew.h.  The kernel gives each process a page of code, the vDSO, that tells the time.  What is
 * there for clock_gettime() is replaced by the system call, and an addition.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "skew.h"

#define VDSO_SIZE 65536

void skew_prepare(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

#ifdef __x86_64__

static int open_of(pid_t pid, const char *what, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, what);
	return open(path, flags | O_CLOEXEC);
}

/* Where its vDSO is, or 0. */
static uint64_t find_vdso(pid_t pid)
{
	Elf64_auxv_t values[64];
	int fd = open_of(pid, "auxv", O_RDONLY);
	ssize_t got = fd >= 0 ? read(fd, values, sizeof(values)) : 0;

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < got / (ssize_t)sizeof(values[0]); i++) {
		if (values[i].a_type == AT_SYSINFO_EHDR)
			return values[i].a_un.a_val;
	}
	return 0;
}

/* Where in it clock_gettime() begins, or 0. */
static uint64_t find_function(const char *vdso, size_t len)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)vdso;
	const Elf64_Shdr *sections = (const Elf64_Shdr *)(const void *)(vdso + head->e_shoff);

	if (head->e_shoff + head->e_shnum * sizeof(*sections) > len)
		return 0;
	for (unsigned i = 0; i < head->e_shnum; i++) {
		const Elf64_Sym *symbols =
			(const Elf64_Sym *)(const void *)(vdso + sections[i].sh_offset);
		const char *names = vdso + sections[sections[i].sh_link].sh_offset;

		if (sections[i].sh_type != SHT_DYNSYM)
			continue;
		for (size_t j = 0; j < sections[i].sh_size / sizeof(*symbols); j++) {
			if (strcmp(names + symbols[j].st_name, "__vdso_clock_gettime") == 0)
				return symbols[j].st_value;
		}
	}
	return 0;
}

static bool replace(pid_t pid, int memory, int seconds)
{
	static char vdso[VDSO_SIZE];
	unsigned char code[] = {
		0xb8, 0xe4, 0, 0, 0,		/* mov $228, %eax: clock_gettime */
		0x0f, 0x05,			/* syscall */
		0x85, 0xff,			/* test %edi, %edi: CLOCK_REALTIME? */
		0x75, 0x07,			/* jne the end */
		0x48, 0x81, 0x06, 0, 0, 0, 0,	/* addq $seconds, (%rsi) */
		0xc3,				/* ret */
	};
	uint64_t base = find_vdso(pid), function;
	ssize_t len;

	if (base == 0 || (len = pread(memory, vdso, sizeof(vdso), (off_t)base)) <
				 (ssize_t)sizeof(Elf64_Ehdr))
		return false;
	function = find_function(vdso, (size_t)len);
	memcpy(code + 14, &seconds, sizeof(seconds));
	return function != 0 && pwrite(memory, code, sizeof(code), (off_t)(base + function)) ==
					(ssize_t)sizeof(code);
}

#else

static int open_of(pid_t pid, const char *what, int flags)
{
	(void)pid;
	(void)what;
	(void)flags;
	return -1;
}

static bool replace(pid_t pid, int memory, int seconds)
{
	(void)pid;
	(void)memory;
	(void)seconds;
	return false;
}

#endif

bool skew_begin(pid_t pid, int seconds)
{
	int status, memory;
	bool done;

	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return false;
	memory = open_of(pid, "mem", O_RDWR);
	done = memory >= 0 && replace(pid, memory, seconds);
	if (memory >= 0)
		close(memory);
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) == 0 && done;
}
