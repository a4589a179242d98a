/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * khopool: the commands for the machine that it runs on.
 *
 *	rm.c --> expose.c --+
 *	create.c, ls.c -----+--> node.c, show.c --> links.c, users.c --+
 *	put.c, get.c --> kept.c --> sha256.c                   |
 *	           +-------------------------------------------+--> device.c --+
 *	map*.c --------------------------------------------------> names.c <---+
 *	stat*.c, kexec_args.c --> sysfs.c <-- control.c <--------------+
 *	         kexec_args.c --> line.c          ^
 *	lock.c -----------------------------------+
 *	check.c, can_take.c --> takes.c ----------+--> note.c
 *
 * These are built with the headers of user space; sha256.c, and those for images, with
 * the shim that stands in for the kernel's.
 */
#ifndef _KHOPOOL_MACHINE_H
#define _KHOPOOL_MACHINE_H

#include "../../../include/uapi/linux/kho_pool.h"
#include "command.h"
#include "sha256.h"

#define SYSFS_POOLS	"/sys/kernel/mm/kho_pool"
#define SYSFS_KHO	"/sys/kernel/kexec_handover"
#define MAX_POOLS	8

/* sysfs.c */
struct region {
	u64 base, size;
	int nid;
	char state[64];
};

struct pools {
	u32 nr;
	char name[MAX_POOLS][KHO_POOL_UAPI_POOL_MAX];
};

/* The contents of a file, without the newline; false: it cannot be read. */
__attribute__((format(printf, 3, 4)))
bool sysfs_text(char *buf, u32 size, const char *fmt, ...);
/* A number of a pool, or 0 */
u64 sysfs_number(const char *pool, const char *file);
void sysfs_pools(struct pools *pools);
/* In the order of their addresses. */
u32 sysfs_regions(const char *pool, struct region *regions, u32 max);
/* Exits with the reason if there are none. */
void need_pools(struct pools *pools);
/* ", but ..." for pools with a problem, or "" */
const char *pool_trouble(const char *pool);
/* "a, b and c" */
const char *pool_names(const struct pools *pools);

/* control.c: /dev/kho_pool/control; 0 or an error number */
struct extent {
	u64 phys, bytes, align;
	u32 flags, dax_region, dax_id;
	int nid;
	char pool[KHO_POOL_UAPI_POOL_MAX];
	char owner[KHO_POOL_UAPI_POOL_MAX];
	char name[KHO_POOL_UAPI_NAME_MAX];
};

int control_create(struct extent *extent, u64 align, bool strict);
int control_release(const struct extent *extent);
int control_expose(struct extent *extent, u64 align);
int control_hide(const struct extent *extent);
int control_query(struct extent *extent);
/* An array to be freed; *@nr is how many.  Ends the program if that fails. */
struct extent *control_list(const char *pool, u32 *nr);
/* The control device */
int control_fd(void);
/* Size and alignment of extents that can be exposed are multiples of this. */
u64 control_unit(void);
/* Texts of errors that mean the same for all calls, and of those of control_expose() */
const char *control_error(int err);
const char *control_expose_error(const struct extent *extent, u64 align, int err);

/* lock.c: what only one khopool at a time changes */
void lock_extent(const struct extent *extent);
void unlock_extent(const struct extent *extent);
void lock_links(void);
void unlock_links(void);
/* Under lock_extent(): a process that reads it for the moment, or 0; be one; was it the last? */
int lock_reader(const struct extent *extent);
void lock_read(const struct extent *extent);
bool unlock_read(const struct extent *extent);

/* names.c: how people name an extent, NAME or POOL/NAME */
void name_extent(struct extent *extent, const char *name, const char *pool);
/* All pools, or the named one */
void select_pools(struct pools *pools, const char *pool);
/* Find the extent; ends the program if there is none. */
void find_extent(struct extent *extent, const char *name, const char *pool);
/* Query it again; ends the program if it is gone. */
void query_extent(struct extent *extent);
/* "pool/name" */
const char *full_name(const struct extent *extent);

/* device.c: extents mapped into this process */
struct device {
	struct extent *extent;
	u8 *mem;		/* NULL: it is not mapped */
	bool for_now;		/* The last one that has it mapped hides it again. */
};

const char *device_path(const struct extent *extent, char *buf);
/* NULL, or what went wrong */
const char *device_map(struct device *device, struct extent *extent, bool write);
void device_unmap(struct device *device);

/* links.c: /dev/kho_pool/<pool>/<name> */
const char *link_path(const struct extent *extent, char *buf);
/* Make and remove those that udev has not. */
void links_follow(const char *pool);

/* node.c: who may open the device; --owner, --group and --mode of commands that make one */
struct node {
	bool has_owner, has_group, has_mode;
	u32 owner, group, mode;
};

enum { NODE_OWNER = 256, NODE_GROUP, NODE_MODE };
#define NODE_HELP \
	"  --owner USER     who may open the device, in this kernel only; for later ones,\n" \
	"                   too, make a rule for udev (60-kho-pool.rules)\n" \
	"  --group GROUP    the same\n" \
	"  --mode MODE      the same, such as 0660\n"

/* Was it one of these options?  Ends the program if its value is wrong. */
bool node_option(struct node *node, int opt, const char *value);
bool node_is_set(const struct node *node);
/* Once udev has seen the device; NULL, or what went wrong */
const char *node_apply(const struct node *node, const struct extent *extent);

/* users.c: processes that have it mapped or open, in words; or "" */
const char *device_users(const struct extent *extent);
/* Processes that may have pinned pages for a device, in words; or "" */
const char *device_pinners(void);
/* Who else keeps it from being hidden, as a sentence; or NULL */
const char *device_holder(const struct extent *extent);

/* expose.c: used by other commands too.  End the program if they fail. */
void expose_extent(struct extent *extent, u64 align);
void hide_extent(struct extent *extent);

/* show.c: as an object in the open one, or as a document if none is open */
void json_extent(const struct extent *extent);

/* stat_prom.c */
void stat_prom(const struct pools *pools);

/* kept.c: how an extent keeps a file */
#define KEPT_HEADER 4096	/* the file follows it */
struct kept {
	u64 bytes;
	u8 sha256[SHA256_BYTES];
};

void kept_write(u8 *mem, const struct kept *kept);
/* NULL, or why it does not keep a file */
const char *kept_read(const u8 *mem, u64 size, struct kept *kept);
/* NULL, or what is wrong with the file */
const char *kept_check(const u8 *mem, const struct kept *kept);
/* Its SHA-256, in hex */
const char *kept_sum(const struct kept *kept, char buf[2 * SHA256_BYTES + 1]);
void json_kept(const struct kept *kept);

/* signals.c: exit cleanly, so that nothing is left half done */
void signals_catch(void);
bool signals_caught(void);
/* Do this, up to a memory error; false: there was one. */
bool signals_try(void (*step)(void *data), void *data);

#endif /* _KHOPOOL_MACHINE_H */
