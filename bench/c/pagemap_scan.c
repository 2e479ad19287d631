/*
 * A baseline for HmmFast's scan: the running Linux kernel itself, asked about a process of this size, every page's kind drawn by itself.
 *
 * A process cannot have the engine's mix (device and exclusive entries need a device), nor may a page of it cost memory at 16 Mi pages: one small memory file is mapped
 * again and again, privately. Of 16 pages 2 are empty, up to 6 are written (a page of their own: anonymous) as far as an eighth of the free memory goes, the others show the
 * file's page. So neighbours differ in what the kernel says of them, as the engine's do. Then are timed, after one uncounted round, (a) reading /proc/self/pagemap for all
 * of it and (b) the PAGEMAP_SCAN ioctl (Linux 6.7 and later), which returns runs.
 *
 * usage: pagemap_scan ROUNDS PAGES [PAGES ...]
 * prints {"pages":N,"pagemap_ns_per_page":M,"pagemap_fastest":M,"pagemap_slowest":M,"scan_ns_per_page":M or null,...,"regions":R,"written":W}
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

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

enum { PAGE = 4096, FILE_PAGES = 16384 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Kinds by chance: WRITTEN_OF_16 of 16 are written at most, EMPTY_OF_16 empty. */
enum { WRITTEN_OF_16 = 6, EMPTY_OF_16 = 2 };

static uint64_t most_written(void)
{
	char line[128];
	unsigned long long kib = 0;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024 / 8 / PAGE;
}

/* Returns the memory; *written is how many pages have memory of their own. */
static char *map_mix(uint64_t pages, uint64_t *written)
{
	char *memory = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int file = memfd_create("pagemap_scan", 0);
	uint64_t at, page, budget = most_written();
	/* In 1024ths, so that a small budget is spread over all of it. */
	uint64_t share = 1024 * WRITTEN_OF_16 / 16;

	if (memory == MAP_FAILED || file < 0 || ftruncate(file, (off_t)FILE_PAGES * PAGE))
		die("pagemap_scan: memory");
	if (pages * share / 1024 > budget)
		share = budget * 1024 / pages;
	for (at = 0; at < pages; at += FILE_PAGES) {
		uint64_t count = pages - at < FILE_PAGES ? pages - at : FILE_PAGES;
		char *part = memory + at * PAGE;

		if (mmap(part, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file, 0) == MAP_FAILED)
			die("pagemap_scan: mmap");
		madvise(part, count * PAGE, MADV_NOHUGEPAGE);
		if (madvise(part, count * PAGE, MADV_POPULATE_READ))
			for (page = 0; page < count; page++)
				(void)*(volatile char *)(part + page * PAGE);
	}
	*written = 0;
	for (page = 0; page < pages; page++) {
		uint64_t drawn = random_next() >> 20;

		if (drawn % 16 < EMPTY_OF_16) {
			madvise(memory + page * PAGE, PAGE, MADV_DONTNEED);
		} else if ((drawn >> 4) % 1024 < share * 16 / (16 - EMPTY_OF_16)) {
			*(volatile char *)(memory + page * PAGE) = 1;
			++*written;
		}
	}
	close(file);
	return memory;
}

static double read_pagemap(int fd, uint64_t start, uint64_t pages, uint64_t *words)
{
	double from = now_ns();
	uint64_t done = 0;

	while (done < pages) {
		uint64_t most = pages - done < 65536 ? pages - done : 65536;
		ssize_t got = pread(fd, words, most * 8, (off_t)((start / PAGE + done) * 8));

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
		.size = sizeof(arg), .start = start, .end = start + pages * PAGE, .vec = (uint64_t)regions, .vec_len = most,
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
	uint64_t found = 0, written = 0;
	char *memory = map_mix(pages, &written);
	int i;

	if (!regions || !words || !by_read || !by_scan)
		die("pagemap_scan: memory");
	for (i = -1; i < rounds; i++) {
		double read_ns = read_pagemap(fd, (uint64_t)memory, pages, words);
		double scan_ns = scan(fd, (uint64_t)memory, pages, regions, MOST_REGIONS, &found);

		if (i >= 0) {
			by_read[i] = read_ns;
			by_scan[i] = scan_ns;
		}
	}
	qsort(by_read, rounds, sizeof(double), by_value);
	qsort(by_scan, rounds, sizeof(double), by_value);
	printf("{\"pages\":%llu,\"pagemap_ns_per_page\":%.4f,\"pagemap_fastest\":%.4f,\"pagemap_slowest\":%.4f,", (unsigned long long)pages,
	       by_read[rounds / 2], by_read[0], by_read[rounds - 1]);
	if (by_scan[0] < 0)
		printf("\"scan_ns_per_page\":null");
	else
		printf("\"scan_ns_per_page\":%.4f,\"scan_fastest\":%.4f,\"scan_slowest\":%.4f", by_scan[rounds / 2], by_scan[0], by_scan[rounds - 1]);
	printf(",\"regions\":%llu,\"written\":%llu}\n", (unsigned long long)found, (unsigned long long)written);
	fflush(stdout);
	munmap(memory, pages * PAGE);
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
