// SPDX-License-Identifier: GPL-2.0-only
/*
 * One path through the index, many times, for a tool that counts instructions
 * between the beginning and the end of counted().  Everything else prepares.
 *
 * usage: paths [PATH]
 *
 * Prints how often counted() was called, or the paths that there are.
 */
#include "../region.h"

/* More than the blocks of an area, or the frames of a block. */
#define MANY	2000
#define FEW	200

static struct region r;

struct job {
	u64 frame, frames, align, csum;
	const char *name;
	int ret;
};

static struct job jobs[MANY];

__attribute__((noipa)) static void counted(void (*path)(struct job *job), struct job *job)
{
	path(job);
}

static void alloc(struct job *job)
{
	job->ret = get(&r, job->frames, job->align, 1, job->name, &job->frame);
}

static void free_it(struct job *job)
{
	job->ret = put(&r, job->frame, job->frames, 1);
}

static void claim(struct job *job)
{
	job->ret = kp_index_claim(&r.idx, &r.idx.pcpu[0], job->frame, job->frames, 1);
}

static void seal(struct job *job)
{
	job->ret = kp_index_seal(&r.idx, &job->csum, 1) ? 0 : -EBUSY;
}

static void restore(struct job *job)
{
	memset(&r.idx, 0, sizeof(r.idx));
	job->ret = kp_index_attach(&r.idx, r.index, r.index_size, r.base, r.frames, SHIFT, r.vol,
				   r.cpus);
	job->ret = job->ret ?: kp_index_restore(&r.idx, &job->csum);
}

/* Do it now, and do not count it. */
static void prepare(void (*path)(struct job *job), struct job *job)
{
	path(job);
	if (job->ret)
		exit(2);
}

static void make(u64 frames, const char *(*name)(u32 i))
{
	region_init(&r, 0, 1024 * GIB, 64);
	for (u32 i = 0; i < MANY; i++)
		jobs[i] = (struct job){
			.frames = frames,
			.align = frames >= GIB ? GIB : frames >= MIB2 ? MIB2 : 1,
			.name = name ? name(i) : NULL,
		};
}

static const char *name_of(u32 i)
{
	static char names[MANY][32];

	snprintf(names[i], sizeof(names[i]), "guest-%u-memory", i);
	return names[i];
}

static u32 run(void (*path)(struct job *job), u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		counted(path, &jobs[i]);
		if (jobs[i].ret)
			exit(2);
	}
	return nr;
}

static u32 allocs(u64 frames, u32 nr, const char *(*name)(u32 i))
{
	make(frames, name);
	return run(alloc, nr);
}

static u32 frees(u64 frames, u32 nr, const char *(*name)(u32 i))
{
	make(frames, name);
	for (u32 i = 0; i < nr; i++)
		prepare(alloc, &jobs[i]);
	return run(free_it, nr);
}

static u32 alloc_4k(void)
{
	return allocs(1, MANY, NULL);
}

static u32 free_4k(void)
{
	return frees(1, MANY, NULL);
}

static u32 alloc_2m(void)
{
	return allocs(MIB2, MANY, NULL);
}

static u32 free_2m(void)
{
	return frees(MIB2, MANY, NULL);
}

static u32 alloc_1g(void)
{
	return allocs(GIB, FEW, NULL);
}

static u32 free_1g(void)
{
	return frees(GIB, FEW, NULL);
}

static u32 alloc_named(void)
{
	return allocs(MIB2, MANY, name_of);
}

static u32 free_named(void)
{
	return frees(MIB2, MANY, name_of);
}

/* Extents of 2 MiB to 128 GiB, until half is taken; every third of them goes. */
static u32 alloc_64g_half_full(void)
{
	u64 seed = 0x9e3779b97f4a7c15ULL, used = 0;
	struct job held[256] = {}, *job = held;

	make(64 * GIB, NULL);
	while (used < 768 * GIB && job < held + ARRAY_SIZE(held)) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		job->frames = MIB2 << (seed >> 33) % 16;
		job->frames += (seed >> 40) % (job->frames / MIB2) * MIB2;
		job->align = job->frames >= GIB ? GIB : MIB2;
		if (used + job->frames > 900 * GIB)
			continue;
		prepare(alloc, job);
		used += job->frames;
		job++;
	}
	while (job-- > held)
		if (used > 512 * GIB && (job - held) % 3 == 0) {
			used -= job->frames;
			prepare(free_it, job);
		}
	for (u32 i = 0; i < FEW; i++) {
		counted(alloc, &jobs[0]);
		if (jobs[0].ret)
			exit(2);
		prepare(free_it, &jobs[0]);
	}
	return FEW;
}

static u32 claim_2m(void)
{
	make(MIB2, NULL);
	for (u32 i = 0; i < MANY; i++)
		prepare(alloc, &jobs[i]);
	prepare(seal, &jobs[0]);
	memset(r.vol, 0, r.vol_size);
	prepare(restore, &jobs[0]);
	return run(claim, MANY);
}

static u32 restore_1t_1g_extents(void)
{
	make(GIB, NULL);
	for (u32 i = 0; i < 1024; i++)
		prepare(alloc, &jobs[i]);
	prepare(seal, &jobs[0]);
	memset(r.vol, 0, r.vol_size);
	return run(restore, 1);
}

/* With 64 CPUs. */
static u32 seal_1t(void)
{
	make(1, NULL);
	return run(seal, 1);
}

/* What sysfs reads for a number that is not counted */
static void sums(struct job *job)
{
	job->ret = kp_index_extents(&r.idx) != MANY || !kp_index_used(&r.idx);
}

static u32 sums_1t(void)
{
	make(MIB2, NULL);
	for (u32 i = 0; i < MANY; i++)
		prepare(alloc, &jobs[i]);
	return run(sums, 1);
}

static void bad(struct job *job)
{
	job->ret = kp_index_bad(&r.idx, job->frame);
}

/* In every 64 MiB, the first block of each, then the second */
static u64 bad_frame(u32 i)
{
	u32 each = r.frames / (32 * MIB2);

	return i % each * 32 * MIB2 + i / each * MIB2;
}

/* One more bad frame, after so many that were found in other kernels */
static u32 bad_after(u32 nr)
{
	region_init_table(&r, 0, 1024 * GIB, 64);
	for (u32 i = 0; i < nr; i++) {
		jobs[0].frame = bad_frame(i);
		prepare(bad, &jobs[0]);
	}
	if (region_restore(&r, NULL))
		exit(2);
	jobs[0].frame = 2;
	return run(bad, 1);
}

static u32 bad_first(void)
{
	return bad_after(0);
}

/* The last that there is room for: the last word of all says that there is none. */
static u32 bad_last(void)
{
	region_init_table(&r, 0, 1024 * GIB, 64);
	return bad_after(r.idx.nr_bad_words - 2);
}

static const struct {
	const char *name;
	u32 (*run)(void);
} paths[] = {
	{ "alloc_4k", alloc_4k },
	{ "free_4k", free_4k },
	{ "alloc_2m", alloc_2m },
	{ "free_2m", free_2m },
	{ "alloc_1g", alloc_1g },
	{ "free_1g", free_1g },
	{ "alloc_64g_half_full", alloc_64g_half_full },
	{ "alloc_named", alloc_named },
	{ "free_named", free_named },
	{ "claim", claim_2m },
	{ "restore_1t_1g_extents", restore_1t_1g_extents },
	{ "seal", seal_1t },
	{ "sums", sums_1t },
	{ "bad_first", bad_first },
	{ "bad_last", bad_last },
};

int main(int argc, char **argv)
{
	for (u32 i = 0; i < ARRAY_SIZE(paths); i++) {
		if (argc == 2 && strcmp(argv[1], paths[i].name))
			continue;
		if (argc < 2) {
			puts(paths[i].name);
			continue;
		}
		printf("%u\n", paths[i].run());
		return 0;
	}
	return argc < 2 ? 0 : 2;
}
