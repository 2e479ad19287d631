/*
 * A baseline for HmmFast's scan: the running Linux kernel itself, asked about a process of this size and mix.
 *
 * Maps PAGES pages of private anonymous memory in runs of random length that are written, read (zero page) or left empty, then times
 * (a) reading /proc/self/pagemap for all of it and (b) the PAGEMAP_SCAN ioctl (Linux 6.7 and later), which returns runs.
 *
 * usage: pagemap_scan ROUNDS PAGES [PAGES ...]   prints {"pages":N,"pagemap_ns_per_page":M,"scan_ns_per_page":M or null,"regions":R}
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

#ifndef PAGEMAP_SCAN
struct page_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct pm_scan_arg {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};
#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_FILE (1 << 2)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)
#define PAGE_IS_HUGE (1 << 6)
#endif

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static uint64_t random_state = 0x2545f4914f6cdd1dull;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void fill(volatile char *memory, uint64_t pages)
{
	uint64_t page = 0;

	while (page < pages) {
		uint64_t run = 1 + random_next() % 127, how = random_next() % 8;

		for (; run > 0 && page < pages; run--, page++) {
			if (how < 5)
				memory[page * 4096] = (char)page;
			else if (how < 7)
				(void)memory[page * 4096];
		}
	}
}

static double read_pagemap(int fd, uint64_t start, uint64_t pages, uint64_t *words)
{
	double from = now_ns();
	uint64_t done = 0;

	while (done < pages) {
		uint64_t most = pages - done < 65536 ? pages - done : 65536;
		ssize_t got = pread(fd, words, most * 8, (off_t)((start / 4096 + done) * 8));

		if (got <= 0) {
			perror("pagemap_scan: reading pagemap");
			exit(1);
		}
		done += (uint64_t)got / 8;
	}
	return (now_ns() - from) / pages;
}

static double scan(int fd, uint64_t start, uint64_t pages, struct page_region *regions, uint64_t most, uint64_t *found)
{
	uint64_t all = PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_PFNZERO | PAGE_IS_HUGE | PAGE_IS_FILE;
	struct pm_scan_arg arg = {
		.size = sizeof(arg), .start = start, .end = start + pages * 4096, .vec = (uint64_t)regions, .vec_len = most,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED, .return_mask = all,
	};
	double from = now_ns();

	*found = 0;
	while (arg.start < arg.end) {
		int got = ioctl(fd, PAGEMAP_SCAN, &arg);

		if (got < 0)
			return -1;
		*found += (uint64_t)got;
		arg.start = arg.walk_end;
	}
	return (now_ns() - from) / pages;
}

static void measure(int fd, uint64_t pages, int rounds)
{
	enum { MOST_REGIONS = 65536 };
	struct page_region *regions = malloc(sizeof(*regions) * MOST_REGIONS);
	uint64_t *words = malloc(65536 * 8);
	double *by_read = malloc(sizeof(double) * rounds), *by_scan = malloc(sizeof(double) * rounds);
	uint64_t found = 0;
	char *memory = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int i;

	if (memory == MAP_FAILED || !regions || !words || !by_read || !by_scan) {
		fprintf(stderr, "pagemap_scan: no memory for %llu pages\n", (unsigned long long)pages);
		exit(1);
	}
	madvise(memory, pages * 4096, MADV_NOHUGEPAGE);
	fill(memory, pages);
	for (i = 0; i < rounds; i++) {
		by_read[i] = read_pagemap(fd, (uint64_t)memory, pages, words);
		by_scan[i] = scan(fd, (uint64_t)memory, pages, regions, MOST_REGIONS, &found);
	}
	qsort(by_read, rounds, sizeof(double), by_value);
	qsort(by_scan, rounds, sizeof(double), by_value);
	printf("{\"pages\":%llu,\"pagemap_ns_per_page\":%.4f,\"scan_ns_per_page\":", (unsigned long long)pages, by_read[rounds / 2]);
	if (by_scan[0] < 0)
		printf("null");
	else
		printf("%.4f", by_scan[rounds / 2]);
	printf(",\"regions\":%llu}\n", (unsigned long long)found);
	fflush(stdout);
	munmap(memory, pages * 4096);
	free(regions);
	free(words);
	free(by_read);
	free(by_scan);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0;
	int fd = open("/proc/self/pagemap", O_RDONLY), i;

	if (rounds < 1 || argc < 3) {
		fprintf(stderr, "usage: pagemap_scan ROUNDS PAGES [PAGES ...]\n");
		return 2;
	}
	if (fd < 0) {
		perror("pagemap_scan: /proc/self/pagemap");
		return 1;
	}
	for (i = 2; i < argc; i++)
		measure(fd, strtoull(argv[i], NULL, 10), rounds);
	return 0;
}
