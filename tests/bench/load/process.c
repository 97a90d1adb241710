/* SPDX-License-Identifier: MIT */
/* What processes cost; see process.h. */
#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "process.h"

static uint64_t thread_cpu(const char *pid, const char *thread)
{
	char path[400];
	uint64_t ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/schedstat", pid, thread);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%" SCNu64, &ns) != 1)
		ns = 0;
	fclose(file);
	return ns;
}

uint64_t process_cpu(const struct option_list *pids)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < pids->count; i++) {
		char path[100];
		struct dirent *entry;
		DIR *threads;

		snprintf(path, sizeof(path), "/proc/%s/task", pids->values[i]);
		threads = opendir(path);
		while (threads != NULL && (entry = readdir(threads)) != NULL) {
			if (entry->d_name[0] != '.')
				ns += thread_cpu(pids->values[i], entry->d_name);
		}
		if (threads != NULL)
			closedir(threads);
	}
	return ns;
}

static void add_line(struct memory *memory, const char *line)
{
	char name[32];
	int64_t kilobytes;

	if (sscanf(line, "%31[^:]: %" SCNd64 " kB", name, &kilobytes) != 2)
		return;
	if (strcmp(name, "Pss") == 0)
		memory->pss += kilobytes * 1024;
	else if (strcmp(name, "Pss_Anon") == 0)
		memory->anon += kilobytes * 1024;
	else if (strcmp(name, "Pss_Shmem") == 0)
		memory->shmem += kilobytes * 1024;
}

struct memory process_memory(const struct option_list *pids)
{
	struct memory memory = {0};
	char path[100], line[200];

	for (size_t i = 0; i < pids->count; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", pids->values[i]);
		file = fopen(path, "re");
		while (file != NULL && fgets(line, sizeof(line), file) != NULL)
			add_line(&memory, line);
		if (file != NULL)
			fclose(file);
	}
	return memory;
}

uint64_t process_own_cpu(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void process_pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		perror("load: cannot run on that core");
}

uint64_t process_raise_files(void)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	return files.rlim_max;
}
