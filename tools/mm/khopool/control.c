// SPDX-License-Identifier: GPL-2.0-only
/* The calls of /dev/kho_pool/control, see include/uapi/linux/kho_pool.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "machine.h"

#define CONTROL "/dev/kho_pool/control"

int control_fd(void)
{
	static int fd = -1;
	struct pools pools;

	if (fd >= 0)
		return fd;
	fd = open(CONTROL, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == EACCES || errno == EPERM)
		refused(errno, CONTROL ": %s: only root may do this", strerror(errno));
	/* The better reason, if there is one */
	if (errno == ENOENT)
		need_pools(&pools);
	fail(CONTROL ": %s (is devtmpfs mounted on /dev?)", strerror(errno));
}

static int call(unsigned long nr, void *arg)
{
	return ioctl(control_fd(), nr, arg) ? errno : 0;
}

int control_create(struct extent *extent, u64 align, bool strict)
{
	struct kho_pool_ioctl_create c = {
		.size = sizeof(c),
		.nid = extent->nid,
		.bytes = extent->bytes,
		.align = align,
		.flags = strict ? KHO_POOL_CREATE_THISNODE : 0,
	};

	COPY(c.pool, extent->pool);
	COPY(c.name, extent->name);
	return call(KHO_POOL_CREATE, &c);
}

static int call_name(unsigned long nr, const struct extent *extent)
{
	struct kho_pool_ioctl_name n = { .size = sizeof(n) };

	COPY(n.pool, extent->pool);
	COPY(n.name, extent->name);
	return call(nr, &n);
}

int control_release(const struct extent *extent)
{
	return call_name(KHO_POOL_RELEASE, extent);
}

int control_hide(const struct extent *extent)
{
	return call_name(KHO_POOL_HIDE, extent);
}

int control_expose(struct extent *extent, u64 align)
{
	struct kho_pool_ioctl_expose e = { .size = sizeof(e), .align = align };
	int err;

	COPY(e.pool, extent->pool);
	COPY(e.name, extent->name);
	err = call(KHO_POOL_EXPOSE, &e);
	if (!err || err == EALREADY) {
		extent->flags |= KHO_POOL_EXTENT_EXPOSED;
		extent->dax_region = e.dax_region;
		extent->dax_id = e.dax_id;
		extent->align = e.align;
	}
	return err;
}

static void take(struct extent *to, const struct kho_pool_extent_info *from)
{
	to->phys = from->phys;
	to->bytes = from->bytes;
	to->align = from->align;
	to->flags = from->flags;
	to->nid = from->nid;
	to->dax_region = from->dax_region;
	to->dax_id = from->dax_id;
	memcpy(to->owner, from->owner, sizeof(to->owner));
	memcpy(to->name, from->name, sizeof(to->name));
}

int control_query(struct extent *extent)
{
	struct kho_pool_ioctl_query q = { .size = sizeof(q) };
	int err;

	COPY(q.pool, extent->pool);
	COPY(q.name, extent->name);
	err = call(KHO_POOL_QUERY, &q);
	if (!err)
		take(extent, &q.info);
	return err;
}

struct extent *control_list(const char *pool, u32 *nr)
{
	struct kho_pool_ioctl_list list = { .info_size = sizeof(struct kho_pool_extent_info) };
	struct kho_pool_extent_info *infos = NULL;
	struct extent *extents;
	u32 room = 256;
	int err;

	/* Do not miss extents made meanwhile: get all at once, with room to spare. */
	do {
		room *= 2;
		free(infos);
		infos = calloc(room, sizeof(*infos));
		if (!infos)
			die("no memory");
		list.size = sizeof(list);
		list.infos = (uintptr_t)infos;
		list.nr = room;
		list.total = 0;
		COPY(list.pool, pool);
		err = call(KHO_POOL_LIST, &list);
		if (err)
			refused(err, "pool %s: its extents cannot be listed: %s", pool,
				control_error(err));
	} while (list.total > list.nr);
	extents = calloc(list.nr ?: 1, sizeof(*extents));
	if (!extents)
		die("no memory");
	for (u32 i = 0; i < list.nr; i++) {
		take(&extents[i], &infos[i]);
		COPY(extents[i].pool, pool);
	}
	free(infos);
	*nr = list.nr;
	return extents;
}

const char *control_error(int err)
{
	switch (err) {
	case EPERM:
		return "only root may do this (it takes CAP_SYS_ADMIN)";
	case ENODEV:
		return "there is no such pool";
	case ENOENT:
		return "there is no such extent (khopool ls)";
	case EDQUOT:
		return "that is beyond the cgroup's limit on the pool (dmem.max)";
	case ENAMETOOLONG:
		return "the path of the cgroup is too long to be handed on";
	case ESHUTDOWN:
		return "a kexec is under way, nothing can be changed any more";
	case EROFS:
		return "the pool can only be read, because it has features of a later kernel";
	case EUCLEAN:
		return "the pool is quarantined, or a region of it was not read (khopool stat)";
	case ENOTTY:
	case E2BIG:
		return "this kernel does not know the call: khopool is of another version";
	default:
		return strerror(err);
	}
}

/* The middle page size: what one page of page tables maps, with 8 bytes per page. */
u64 control_unit(void)
{
	u64 page = sysconf(_SC_PAGESIZE);

	return page / 8 * page;
}

const char *control_expose_error(const struct extent *extent, u64 align, int err)
{
	static char why[256];
	char size[32], unit[32];
	u64 need = align ?: control_unit();

	switch (err) {
	case EINVAL:
		if (align & (align - 1))
			return "pages have the size of a power of two";
		if (extent->bytes % need) {
			snprintf(why, sizeof(why), "it has %s, which is not a multiple of %s",
				 size_text(extent->bytes, size), size_text(need, unit));
			return why;
		}
		snprintf(why, sizeof(why),
			 "it does not begin at a multiple of %s (khopool create --align)",
			 size_text(need, unit));
		return why;
	case EOPNOTSUPP:
		if (!align)
			return "this kernel makes no devices of extents (is device_dax loaded?)";
		snprintf(why, sizeof(why),
			 "this kernel cannot map pages of %s, or device_dax is not loaded",
			 size_text(align, size));
		return why;
	case EBUSY:
		if (!*extent->owner || extent->flags & KHO_POOL_EXTENT_USER)
			return "another driver than device_dax is bound to its device";
		if (extent->flags & KHO_POOL_EXTENT_UNCLAIMED)
			snprintf(why, sizeof(why), "it belongs to \"%s\", which has not claimed it",
				 shown(extent->owner));
		else
			snprintf(why, sizeof(why), "it belongs to \"%s\", a driver in the kernel",
				 shown(extent->owner));
		return why;
	case ENOMEM:
		return "there is no memory for its struct pages";
	default:
		return control_error(err);
	}
}
