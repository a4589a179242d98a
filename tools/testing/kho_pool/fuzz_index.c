// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hostile bytes into restore: a good index is changed as the input says, and
 * taken over.  It is either refused, and then not written to, or it is a
 * correct pool, in which nothing can be had twice.
 *
 * The input's first byte chooses the index; changes of four bytes follow: where
 * (two bytes, among the words that have a meaning), how, and with what.
 */
#include "region.h"
#include "save.h"

#define FRAMES	(GIB + 16 * MIB2)
#define BASE	(2 * GIB - 8 * MIB2)
#define IMAGES	4
#define MAX	2048

static struct image {
	struct region r;
	u64 csum;
	u32 words[1 << 14], nr_words;
} images[IMAGES];

static struct region r;
static struct { u64 from, end; } seen[MAX];
static u32 nr_seen;

static void has_meaning(struct image *i, const void *from, u64 size)
{
	for (u64 n = 0; n < size / 8; n++)
		i->words[i->nr_words++] = ((u8 *)from - (u8 *)i->r.index) / 8 + n;
}

static void fill(struct region *r, u32 which)
{
	char name[8];
	u64 frame;

	switch (which) {
	case 0:
		get(r, 1, 1, 1, NULL, &frame);
		get(r, 70, 1, 1, NULL, &frame);
		get(r, 9, 1, 2, "nine", &frame);
		get(r, 3 * MIB2, 1, 2, "three", &frame);
		get(r, MIB2 + 1, 1, 1, NULL, &frame);
		return;
	case 1:		/* the area is one extent; names, some of them unused */
		get(r, GIB, GIB, 2, "all", &frame);
		for (u32 i = 0; i < 8; i++) {
			snprintf(name, sizeof(name), "n%u", i);
			get(r, 1 + i, 1, 1 + i % 2, name, &frame);
			if (i % 3 == 0)
				put(r, frame, 1 + i, 1 + i % 2);
		}
		return;
	case 3:		/* memory errors in free and in allocated memory */
		get(r, 3 * MIB2, 1, 1, "three", &frame);
		kp_index_bad(&r->idx, frame + 700);
		get(r, 2, 1, 1, NULL, &frame);
		kp_index_bad(&r->idx, frame + 1);
		for (u32 i = 0; i < 10; i++)
			kp_index_bad(&r->idx, 7 * MIB2 * i + 511 - i % 3);
		return;
	default:	/* some are not confirmed */
		for (u32 i = 0; i < 6; i++) {
			struct kp_request req = {
				.frames = MIB2 * (1 + 40 * i), .align = 1, .owner = 1,
				.clear = i % 2, .name = i == 3 ? "pending" : NULL,
			};

			whole_alloc(&r->idx, r->idx.pcpu, &req, &frame);
		}
		get(r, 511, 1, 2, NULL, &frame);
	}
}

static void make(void)
{
	for (u32 which = 0; which < IMAGES; which++) {
		struct image *i = &images[which];
		struct kp_index *idx = &i->r.idx;

		region_init(&i->r, BASE, FRAMES, 1);
		fill(&i->r, which);
		kp_index_seal(idx, &i->csum, 1);
		has_meaning(i, i->r.index, sizeof(struct kho_pool_index_header));
		has_meaning(i, idx->owners, 4 * sizeof(*idx->owners));
		has_meaning(i, idx->areas, 8 * idx->nr_areas);
		has_meaning(i, idx->blocks, 8 * idx->nr_blocks);
		has_meaning(i, idx->names, 10 * sizeof(*idx->names));
		for (u32 b = 0; b < idx->nr_blocks; b++)
			if (kp_word_kind(le64_to_cpu(idx->blocks[b])) == KHO_POOL_SPLIT)
				has_meaning(i, &idx->bitmaps[b], sizeof(*idx->bitmaps));
	}
	region_init(&r, BASE, FRAMES, 1);
}

static void die(const char *what)
{
	fprintf(stderr, "fuzz_index: %s (validate.c:%d)\n", what, kp_index_validate(&r.idx));
	abort();
}

/* As region_restore(), in the same memory every time. */
static int restore(const u64 *csum)
{
	int ret;

	memset(r.vol, 0, r.vol_size);
	memset(&r.idx, 0, sizeof(r.idx));
	ret = kp_index_attach(&r.idx, r.index, r.index_size, r.base, r.frames, SHIFT, r.vol, 1);
	return ret ?: kp_index_restore(&r.idx, csum);
}

/* It is allocated; nobody else may get it. */
static void take(u64 frame, u64 frames)
{
	if (frame + frames > FRAMES || frame + frames < frame)
		die("out of the region");
	for (u32 i = 0; i < nr_seen; i++)
		if (frame < seen[i].end && seen[i].from < frame + frames)
			die("handed out twice");
	if (nr_seen == MAX)
		return;
	seen[nr_seen].from = frame;
	seen[nr_seen++].end = frame + frames;
}

/* It was believed: then it has to hold what it says. */
static void use(void)
{
	static const u64 sizes[] = { GIB, 3 * MIB2, MIB2, 65, 1 };
	struct kp_extent ext;
	u64 pos = 0, frame, last = 0, nr_bad = 0;

	if (kp_index_validate(&r.idx))
		die("restored, but not valid");
	nr_seen = 0;
	/* The owner does not matter: nobody else may get it. */
	for (frame = 0; kp_bad_next(&r.idx, &frame); frame++)
		nr_bad += frame >= FRAMES;
	if (nr_bad)
		die("bad, and out of the region");
	while (whole_next(&r.idx, &pos, &ext)) {
		if (ext.frame < last)
			die("handed out twice");
		last = ext.frame + ext.frames;
		if (last > FRAMES)
			die("out of the region");
		if (nr_seen && seen[nr_seen - 1].end == ext.frame)
			seen[nr_seen - 1].end = last;
		else if (nr_seen < MAX)
			take(ext.frame, ext.frames);
	}
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++)
		for (int n = 0; n < 3; n++)
			if (!get(&r, sizes[i], 1, r.idx.owners[1].name[0] ? 1 : 2, NULL,
				 &frame)) {
				u64 bad = frame;

				take(frame, sizes[i]);
				if (kp_bad_next(&r.idx, &bad) && bad < frame + sizes[i])
					die("bad, and given out");
			}
	/* All of it can be given back, and nothing is left then. */
	for (pos = 0; whole_next(&r.idx, &pos, &ext);)
		if (put(&r, ext.frame, ext.frames, ext.owner))
			die("cannot be freed");
	if (kp_index_validate(&r.idx))
		die("used, and not valid any more");
	if (whole_next(&r.idx, &(u64){ 0 }, &ext))
		die("freed, and still there");
}

static void change(const struct image *i, const u8 *data)
{
	u64 *p = (u64 *)r.index + i->words[(data[0] | data[1] << 8) % i->nr_words];

	switch (data[2] % 8) {
	case 0:
		*p ^= 1ULL << (data[3] % 64);
		break;
	case 1:
		*p = data[3];
		break;
	case 2:
		((u8 *)p)[data[2] / 8 % 8] = data[3];
		break;
	case 3:
		*p = 0;
		break;
	case 4:
		*p = ~0ULL;
		break;
	case 5:
		*p += (u64)(data[3] - 128) << KHO_POOL_LENGTH_SHIFT;
		break;
	case 6:
		*p = *((u64 *)r.index + i->words[data[3] % i->nr_words]);
		break;
	case 7:
		*p = kp_word(data[3] & 31, 1 + (data[3] >> 7), data[3] * 64);
		break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 before[1 << 20];
	struct image *i;
	bool changed;
	int ret;

	if (!r.index)
		make();
	if (!size)
		return 0;
	i = &images[data[0] % IMAGES];
	memcpy(r.index, i->r.index, r.index_size);
	data++;
	for (u64 n = min_t(u64, (size - 1) / 4, 24); n--; data += 4)
		change(i, data);
	changed = memcmp(r.index, i->r.index, r.index_size);
	memcpy(before, r.index, r.index_size);

	/* Sealed, only the sum decides. */
	ret = restore(&i->csum);
	if (ret && memcmp(before, r.index, r.index_size))
		die("refused with a sum, but written to");
	if (!changed && ret)
		die("refused, though nothing was changed");
	if (!ret)
		use();
	memcpy(r.index, before, r.index_size);

	/* As if it were not sealed, so that only its sense protects it. */
	ret = restore(NULL);
	if (ret && memcmp(before, r.index, r.index_size))
		die("refused, but written to");
	save("index", before, r.index_size, !ret);
	if (!ret)
		use();
	return 0;
}
