/*
 * A baseline for HmmFast's resolve: a range walk with the shape that a kernel's has, in plain C of our own.
 *
 * Four levels of 512 eight-byte entries, one function call an entry at the leaf, a 64-byte struct per frame that is touched for
 * device entries (whose pagemap, and so whose owner, stands there), an array of eight-byte results. Entries are of mixed kinds in
 * random order, nothing is asked to be faulted: the same work as a range fault without a request.
 *
 * usage: kernel_walk ROUNDS PAGES [PAGES ...]      prints one JSON object a line: {"pages":N,"ns_per_page":M,"checksum":S}
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { LEVEL_BITS = 9, ENTRIES = 1 << LEVEL_BITS };

/* Entry bits. A present entry has bit 0; one that is not present and not zero is a swap-like entry with a kind in bits 1..3. */
#define ENTRY_PRESENT 1ull
#define ENTRY_WRITE 2ull
#define ENTRY_SPECIAL 4ull
#define ENTRY_KIND(e) (((e) >> 1) & 7)
#define ENTRY_PFN(e) ((e) >> 12)

enum kind { KIND_SWAP = 1, KIND_PRIVATE_READ, KIND_PRIVATE_WRITE, KIND_EXCLUSIVE, KIND_MIGRATION };

#define OUT_VALID (1ull << 63)
#define OUT_WRITE (1ull << 62)
#define OUT_ERROR (1ull << 61)
#define ASK_FAULT OUT_VALID
#define ASK_WRITE OUT_WRITE

struct pagemap {
	uint64_t owner;
	uint64_t first_pfn;
};

struct frame {
	uint64_t flags;
	struct pagemap *pagemap;
	uint64_t pad[6];
};

struct request {
	uint64_t owner;
	uint64_t ask_of_all;
	uint64_t ask_mask;
	uint64_t *out;
	uint64_t first_vpn;
	const struct frame *frames;
	int failed;
};

static unsigned need(const struct request *r, uint64_t in, uint64_t have)
{
	uint64_t ask = (in & r->ask_mask) | r->ask_of_all;

	if (!(ask & ASK_FAULT))
		return 0;
	if ((ask & ASK_WRITE) && !(have & OUT_WRITE))
		return 2;
	return (have & OUT_VALID) ? 0 : 1;
}

/* One leaf entry. Kept out of line on purpose: the kernel's walk calls its handler for each entry. */
static __attribute__((noinline)) int leaf(struct request *r, uint64_t entry, uint64_t vpn)
{
	uint64_t *out = &r->out[vpn - r->first_vpn];
	uint64_t have;

	if (entry == 0) {
		if (need(r, *out, 0))
			return 1;
		*out = 0;
		return 0;
	}
	if (!(entry & ENTRY_PRESENT)) {
		enum kind kind = ENTRY_KIND(entry);

		if (kind == KIND_PRIVATE_READ || kind == KIND_PRIVATE_WRITE) {
			const struct frame *frame = &r->frames[ENTRY_PFN(entry)];

			if (frame->pagemap->owner == r->owner) {
				*out = ENTRY_PFN(entry) | OUT_VALID | (kind == KIND_PRIVATE_WRITE ? OUT_WRITE : 0);
				return 0;
			}
		}
		if (need(r, *out, 0))
			return 1;
		*out = 0;
		return 0;
	}
	have = OUT_VALID | ((entry & ENTRY_WRITE) ? OUT_WRITE : 0);
	if (need(r, *out, have))
		return 1;
	if (entry & ENTRY_SPECIAL) {
		*out = OUT_ERROR;
		return 0;
	}
	*out = ENTRY_PFN(entry) | have;
	return 0;
}

static int walk_leaf_table(struct request *r, const uint64_t *table, uint64_t vpn, uint64_t end)
{
	for (; vpn < end; vpn++) {
		int stop = leaf(r, __atomic_load_n(&table[vpn & (ENTRIES - 1)], __ATOMIC_RELAXED), vpn);

		if (stop)
			return stop;
	}
	return 0;
}

static int walk_level(struct request *r, const uint64_t *table, int level, uint64_t vpn, uint64_t end)
{
	unsigned shift = LEVEL_BITS * level;

	while (vpn < end) {
		uint64_t next = ((vpn >> shift) + 1) << shift;
		uint64_t entry = table[(vpn >> shift) & (ENTRIES - 1)];
		int stop = 0;

		if (next > end)
			next = end;
		if (entry == 0) {
			for (; vpn < next && !stop; vpn++)
				stop = leaf(r, 0, vpn);
		} else if (level == 1) {
			stop = walk_leaf_table(r, (const uint64_t *)entry, vpn, next);
		} else {
			stop = walk_level(r, (const uint64_t *)entry, level - 1, vpn, next);
		}
		if (stop)
			return stop;
		vpn = next;
	}
	return 0;
}

static void *must(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		fprintf(stderr, "kernel_walk: no memory for %zu bytes\n", bytes);
		exit(1);
	}
	madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

static uint64_t random_state = 0x9e3779b97f4a7c15ull;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint64_t random_entry(uint64_t pfn)
{
	uint64_t kind = random_next() % 16;

	switch (kind) {
	case 0: return 0;
	case 1: return (KIND_SWAP << 1) | (pfn << 12);
	case 2: return (KIND_EXCLUSIVE << 1) | (pfn << 12);
	case 3: return (KIND_PRIVATE_READ << 1) | (pfn << 12);
	case 4: case 5: case 6: return (KIND_PRIVATE_WRITE << 1) | (pfn << 12);
	case 7: case 8: case 9: return ENTRY_PRESENT | (pfn << 12);
	default: return ENTRY_PRESENT | ENTRY_WRITE | (pfn << 12);
	}
}

static uint64_t *leaf_table_of(uint64_t *top, uint64_t vpn)
{
	uint64_t *table = top;
	int level;

	for (level = 3; level >= 1; level--) {
		uint64_t *slot = &table[(vpn >> (LEVEL_BITS * level)) & (ENTRIES - 1)];

		if (*slot == 0) {
			void *fresh = aligned_alloc(4096, 4096);

			if (!fresh)
				exit(1);
			memset(fresh, 0, 4096);
			*slot = (uint64_t)fresh;
		}
		table = (uint64_t *)*slot;
	}
	return table;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(uint64_t pages, int rounds)
{
	static struct pagemap pagemaps[2] = { { .owner = 1 }, { .owner = 2 } };
	struct frame *frames = must(pages * sizeof(*frames));
	uint64_t *out = must(pages * sizeof(*out));
	uint64_t *top = must(4096);
	double *ns = malloc(sizeof(*ns) * rounds);
	uint64_t vpn, checksum = 0;
	int i;

	for (vpn = 0; vpn < pages; vpn++) {
		frames[vpn].pagemap = &pagemaps[random_next() & 1];
		leaf_table_of(top, vpn)[vpn & (ENTRIES - 1)] = random_entry(vpn);
	}
	for (i = 0; i < rounds + 1; i++) {
		struct request r = { .owner = 1, .out = out, .frames = frames };
		struct timespec from, to;

		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
		if (walk_level(&r, top, 3, 0, pages))
			exit(1);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
		if (i > 0)
			ns[i - 1] = ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / pages;
	}
	for (vpn = 0; vpn < pages; vpn++)
		checksum = checksum * 31 + out[vpn];
	qsort(ns, rounds, sizeof(*ns), by_value);
	printf("{\"pages\":%llu,\"ns_per_page\":%.4f,\"fastest\":%.4f,\"slowest\":%.4f,\"checksum\":\"%016llx\"}\n",
	       (unsigned long long)pages, ns[rounds / 2], ns[0], ns[rounds - 1], (unsigned long long)checksum);
	fflush(stdout);
	munmap(frames, pages * sizeof(*frames));
	munmap(out, pages * sizeof(*out));
	free(ns);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0;
	int i;

	if (rounds < 1 || argc < 3) {
		fprintf(stderr, "usage: kernel_walk ROUNDS PAGES [PAGES ...]\n");
		return 2;
	}
	for (i = 2; i < argc; i++) {
		uint64_t pages = strtoull(argv[i], NULL, 10);

		if (pages < 1 || pages > (1ull << 36)) {
			fprintf(stderr, "kernel_walk: %s pages is not between 1 and 2^36\n", argv[i]);
			return 2;
		}
		measure(pages, rounds);
	}
	return 0;
}
