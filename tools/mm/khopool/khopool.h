/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * khopool: the commands for what one kernel leaves to the next, in images.
 *
 *	dump.c ---+-> images_text.c, images_json.c --+--> image.c
 *	          +-> which.c ---> live.c -----------+
 *	verify.c -+-> rules_*.c ---> rules.c         |
 *	edit.c --------------------------------------+
 *
 * What an index and a root mean is the kernel's own code, mm/kho_pool.
 */
#ifndef _KHOPOOL_H
#define _KHOPOOL_H

#include <stdio.h>

#include "../../../mm/kho_pool/index/internal.h"
#include "../../../mm/kho_pool/index/root.h"
#include "command.h"

/* image.c: files, and what is in them */
struct blob {
	const char *name;
	u8 *data;		/* aligned as kernel memory is */
	u64 size;
};

enum kind { KIND_ROOT, KIND_INDEX, KIND_TREE };

struct root_image {
	struct blob blob;
	const u8 *keep_page;	/* NULL: the file ends with the root */
	const char *wrong;	/* why the root cannot be used, or NULL */
	bool keep_good;
	struct kp_root root;
	struct kp_keep keep;
};

struct index_image {
	struct blob blob;
	const u64 *csum;	/* that it was sealed with, or NULL */
	u64 base, frames;
	u32 frame_shift;
	const char *wrong;	/* why it cannot be used, or NULL */
	struct kp_index idx;	/* if nothing is wrong */
};

struct images {
	struct root_image *root;
	struct index_image index[KHO_POOL_MAX_REGIONS];
	u32 nr_indexes;
	struct blob tree;	/* KHO's own */
};

void *pages(u64 size);
struct blob read_blob(const char *path);
void add_image(struct images *images, struct blob blob);
/* When all files are there: which index is whose. */
void relate_images(struct images *images);
void read_images(struct images *images, int nr, char **paths);
/* All steps of kp_index_next() */
bool next_extent(struct kp_index *idx, u64 *frame, struct kp_extent *ext);
/* May the tree be walked? */
bool tree_good(const void *fdt, u64 size);

/* live.c: those of the machine it runs on, handed on or received */
void read_live(struct images *images, bool received, const char *mem);

/* which.c: as the usage of dump and verify says; ends the program if it was not so called */
void which_images(const struct command *command, int argc, char **argv, struct images *images);

/* images_text.c, images_json.c */
void text_images(const struct images *images);
void json_images(const struct images *images);
extern const char *const region_states[KHO_POOL_REGION_STATES];

/* rules.c: say that a rule does not hold; how many there were */
__attribute__((format(printf, 2, 3))) void violated(const struct blob *blob, const char *fmt, ...);
u32 violations(void);

/* rules_root.c, rules_index.c */
void check_root(const struct root_image *image);
void check_index(const struct index_image *image);

#endif /* _KHOPOOL_H */
