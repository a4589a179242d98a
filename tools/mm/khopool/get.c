// SPDX-License-Identifier: GPL-2.0-only
/* khopool get: read what khopool put has kept */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine.h"

/* NULL, or what went wrong */
static const char *write_all(const char *name, int fd, const u8 *data, u64 bytes)
{
	u64 done = 0;

	while (done < bytes) {
		u64 now = bytes - done < 1 << 20 ? bytes - done : 1 << 20;
		ssize_t nr = write(fd, data + done, now);

		if (signals_caught())
			return "interrupted";
		if (nr < 0)
			return wrong_about(name, errno);
		done += nr;
	}
	return NULL;
}

/* A pipe or a device */
static const char *write_into(const char *name, const u8 *data, u64 bytes)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	const char *wrong;

	if (fd < 0)
		return wrong_about(name, errno);
	wrong = write_all(name, fd, data, bytes);
	if (close(fd) && !wrong)
		wrong = wrong_about(name, errno);
	return wrong;
}

/*
 * A file has all of it or, whatever happens, what it had before.  Only its owner may read
 * it, as only root may read the extent.
 */
static const char *replace_file(const char *name, const u8 *data, u64 bytes)
{
	char target[PATH_MAX], temporary[PATH_MAX + 8];
	const char *wrong;
	int fd;

	/* The file that a link leads to, not the link */
	if (!realpath(name, target)) {
		if (errno != ENOENT || strlen(name) >= sizeof(target))
			return wrong_about(name, errno);
		strcpy(target, name);
	}
	sprintf(temporary, "%s.XXXXXX", target);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return wrong_about(name, errno);
	wrong = write_all(name, fd, data, bytes);
	if (!wrong && fsync(fd))
		wrong = wrong_about(name, errno);
	if (close(fd) && !wrong)
		wrong = wrong_about(name, errno);
	if (!wrong && rename(temporary, target))
		wrong = wrong_about(name, errno);
	if (wrong)
		unlink(temporary);
	return wrong;
}

/* NULL, or what went wrong */
static const char *write_file(const char *name, const u8 *data, u64 bytes)
{
	struct stat stat_buf;

	if (!strcmp(name, "-"))
		return write_all("stdout", STDOUT_FILENO, data, bytes);
	if (!stat(name, &stat_buf) && !S_ISREG(stat_buf.st_mode))
		return write_into(name, data, bytes);
	return replace_file(name, data, bytes);
}

static void report(const struct extent *extent, const struct kept *kept)
{
	char text[2 * SHA256_BYTES + 1];

	if (as_json) {
		json_open();
		json_string("pool", extent->pool);
		json_string("name", extent->name);
		json_kept(kept);
		json_close();
	} else {
		printf("%s: %" PRIu64 " bytes, SHA-256 %s\n", full_name(extent), kept->bytes,
		       kept_sum(kept, text));
	}
}

struct reading {
	const struct device *device;
	const char *to;		/* NULL: only look at it */
	struct kept kept;
	const char *wrong, *unwritten;
};

static void read_kept(void *data)
{
	struct reading *r = data;
	const u8 *mem = r->device->mem;

	r->wrong = kept_read(mem, r->device->extent->bytes, &r->kept);
	/* Everything is checked before anything is written. */
	r->wrong = r->wrong ?: kept_check(mem, &r->kept);
	if (!r->wrong && r->to)
		r->unwritten = write_file(r->to, mem + KEPT_HEADER, r->kept.bytes);
}

static int get(int argc, char **argv)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "pool", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	struct reading reading = {};
	const char *pool = NULL, *wrong;
	bool check = false;
	struct device device;
	struct extent extent;
	int opt;

	while ((opt = next_option(&cmd_get, argc, argv, options)) != -1) {
		if (opt == 'c')
			check = true;
		else if (opt == 'p')
			pool = optarg;
	}
	operands(&cmd_get, argc, &argv, check ? 1 : 2, check ? 1 : 2);
	if (as_json && !check && !strcmp(argv[1], "-"))
		die("what is kept and --json cannot both go to stdout");
	find_extent(&extent, argv[0], pool);
	signals_catch();
	wrong = device_map(&device, &extent, false);
	if (!wrong) {
		reading.device = &device;
		reading.to = check ? NULL : argv[1];
		if (!signals_try(read_kept, &reading))
			reading.wrong = "a page of it has a memory error";
		wrong = reading.wrong;
	}
	device_unmap(&device);
	if (wrong)
		fail("%s: %s", full_name(&extent), wrong);
	if (reading.unwritten)
		die("%s", reading.unwritten);
	if (check || as_json)
		report(&extent, &reading.kept);
	return EXIT_OK;
}

const struct command cmd_get = {
	.name = "get",
	.args = "NAME FILE [--pool POOL] [--json] | NAME --check [--pool POOL] [--json]",
	.what = "get a file that is kept in an extent",
	.help =	"Writes what khopool put has kept to FILE, or with \"-\" to stdout, if its\n"
		"SHA-256 matches; otherwise nothing is written.  The extent stays.  FILE is\n"
		"replaced as a whole, and only its owner may read it.\n\n"
		"  --check      write nothing, but print length and SHA-256\n"
		"  --pool POOL  the pool that it is in; also written POOL/NAME\n"
		"  --json       for programs: length and SHA-256\n",
	.run = get,
};
