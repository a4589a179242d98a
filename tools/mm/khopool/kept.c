// SPDX-License-Identifier: GPL-2.0-only
/*
 * How khopool put keeps a file in an extent; little-endian:
 *
 *	0	8	"KHOFILE1"; written last
 *	8	8	where the file begins, 4096
 *	16	8	how long it is, bytes
 *	24	32	SHA-256 of the file
 *	56	32	SHA-256 of the 56 bytes before
 *	88		zero
 *	4096		the file; whatever follows it has no meaning
 *
 * The kernel knows nothing about this.  Another format will have another first word.
 */
#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "machine.h"

static const char magic[8] = { 'K', 'H', 'O', 'F', 'I', 'L', 'E', '1' };

struct kept_header {
	char magic[8];
	u64 begin, bytes;	/* little-endian */
	u8 sha256[SHA256_BYTES];
	u8 check[SHA256_BYTES];
};

static void digest(const void *data, u64 bytes, u8 *to)
{
	sha256_begin();
	sha256_add(data, bytes);
	sha256_end(to);
}

void kept_write(u8 *mem, const struct kept *kept)
{
	struct kept_header h = { .begin = htole64(KEPT_HEADER), .bytes = htole64(kept->bytes) };

	memcpy(h.magic, magic, sizeof(magic));
	memcpy(h.sha256, kept->sha256, sizeof(h.sha256));
	digest(&h, offsetof(struct kept_header, check), h.check);
	memset(mem, 0, KEPT_HEADER);
	memcpy(mem + sizeof(magic), (u8 *)&h + sizeof(magic), sizeof(h) - sizeof(magic));
	/* The magic comes last: if it is there, so is everything else. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(mem, magic, sizeof(magic));
}

const char *kept_read(const u8 *mem, u64 size, struct kept *kept)
{
	struct kept_header h;
	u8 check[SHA256_BYTES];

	memcpy(&h, mem, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic) - 1))
		return "it keeps no file (khopool put)";
	if (h.magic[7] != magic[7])
		return "it keeps a file in a form that this khopool does not know";
	digest(&h, offsetof(struct kept_header, check), check);
	if (memcmp(check, h.check, sizeof(check)))
		return "it kept a file, but the header is damaged";
	if (le64toh(h.begin) != KEPT_HEADER || le64toh(h.bytes) > size - KEPT_HEADER)
		return "its header makes no sense";
	kept->bytes = le64toh(h.bytes);
	memcpy(kept->sha256, h.sha256, sizeof(kept->sha256));
	return NULL;
}

const char *kept_check(const u8 *mem, const struct kept *kept)
{
	u8 sha256[SHA256_BYTES];

	digest(mem + KEPT_HEADER, kept->bytes, sha256);
	return memcmp(sha256, kept->sha256, sizeof(sha256)) ?
	       "the file is damaged: its SHA-256 is not what it was" : NULL;
}

const char *kept_sum(const struct kept *kept, char buf[2 * SHA256_BYTES + 1])
{
	for (u32 i = 0; i < SHA256_BYTES; i++)
		sprintf(buf + 2 * i, "%02x", kept->sha256[i]);
	return buf;
}

void json_kept(const struct kept *kept)
{
	char text[2 * SHA256_BYTES + 1];

	json_number("bytes", kept->bytes);
	json_string("sha256", kept_sum(kept, text));
}
