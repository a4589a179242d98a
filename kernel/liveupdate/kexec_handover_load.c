// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec handover with images of kexec_load(2): the command line names a page
 * that tells the next kernel where KHO's tree and scratch areas are.  See
 * include/linux/kho/abi/kexec_load.h.
 *
 * User space places the segments itself, so they have to be in scratch areas,
 * as those of kexec_file_load() are: everywhere else there may be something
 * that is preserved.  /sys/kernel/kexec_handover says where that is.
 */
#define pr_fmt(fmt) "KHO: " fmt

#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kexec_load.h>
#include <linux/kho_load.h>
#include <linux/kobject.h>
#include <linux/libfdt.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "kexec_handover_internal.h"

/* kho_populate() takes the page's list for its own. */
static_assert(sizeof(struct kho_handover) == KHO_HANDOVER_SIZE);
static_assert(sizeof(struct kho_handover_scratch) == sizeof(struct kho_scratch));
static_assert(offsetof(struct kho_handover_scratch, size) == offsetof(struct kho_scratch, size));

/* A command line is in no larger segment: boot parameters, a device tree. */
#define LINE_MAX	SZ_4M

/* Nor is a kernel. */
#define KERNEL_MAX	SZ_256M

/* "kho_handover=0x" and 16 digits */
#define WORD_MAX	40

/* Preserved, so that the next kernel may read it at any time. */
static struct kho_handover *own;

/**
 * kho_load_phys - where the handover page is
 *
 * Context: any.
 *
 * Return: physical address, or 0 if there is none.
 */
phys_addr_t kho_load_phys(void)
{
	return own ? virt_to_phys(own) : 0;
}

static void fill(struct kho_handover *h, phys_addr_t self, phys_addr_t fdt, u64 fdt_size)
{
	memset(h, 0, sizeof(*h));
	h->self = cpu_to_le64(self);
	h->fdt = cpu_to_le64(fdt);
	h->fdt_size = cpu_to_le64(fdt_size);
	h->nr_scratch = cpu_to_le64(kho_scratch_cnt);
	for (unsigned int i = 0; i < kho_scratch_cnt; i++) {
		h->scratch[i].addr = cpu_to_le64(kho_scratch[i].addr);
		h->scratch[i].size = cpu_to_le64(kho_scratch[i].size);
	}
	h->magic = cpu_to_le64(KHO_HANDOVER_MAGIC);
	h->check = cpu_to_le64(kho_handover_sum(h));
}

/* Of the words of its kind, is this the last one on the line? */
static bool line_has_last(const char *line, const char *end, const char *word)
{
	size_t len = strlen(word), kind = strlen(KHO_HANDOVER_ARG "=");
	const char *stop;
	bool last = false;

	for (; line < end; line = stop + 1) {
		for (stop = line; stop < end && *stop != ' ' && *stop != '\t'; stop++)
			;
		if (stop - line >= kind && !memcmp(line, word, kind))
			last = stop - line == len && !memcmp(line, word, len);
	}
	return last;
}

/*
 * Is it on a command line?  They end in NUL or with their segment; lines of files
 * in an initrd end otherwise.
 */
static bool has_last(const char *text, size_t size, const char *word)
{
	const char *end = text + size, *stop;

	for (; text < end; text = stop + 1) {
		for (stop = text; stop < end && ((u8)*stop >= ' ' || *stop == '\t'); stop++)
			;
		if ((stop == end || !*stop) && line_has_last(text, stop, word))
			return true;
	}
	return false;
}

/* The argument's name by itself is in what parses it, and on no command line. */
static bool has_name(const char *text, size_t size, const char *word)
{
	const char *end = text + size;
	size_t len = strlen(word) + 1;

	while ((text = memchr(text, *word, end - text)) && end - text >= len)
		if (!memcmp(text++, word, len))
			return true;
	return false;
}

/* Is it so in one of the segments, as they were loaded, of up to @max bytes? */
static int any_segment(struct kimage *image, size_t max, const char *word,
		       bool (*has)(const char *text, size_t size, const char *word))
{
	for (unsigned long i = 0; i < image->nr_segments; i++) {
		size_t size = image->segment[i].bufsz;
		void *text;
		bool found;

		if (size < strlen(word) || size > max)
			continue;
		text = kimage_map_segment(image, i);
		if (!text)
			return -ENOMEM;
		found = has(text, size, word);
		kimage_unmap_segment(text);
		if (found)
			return 1;
	}
	return 0;
}

static int names_page(struct kimage *image, phys_addr_t phys)
{
	char word[WORD_MAX];

	scnprintf(word, sizeof(word), KHO_HANDOVER_ARG "=%#llx", (u64)phys);
	return any_segment(image, LINE_MAX, word, has_last);
}

static bool in_scratch(u64 base, u64 size)
{
	for (unsigned int i = 0; i < kho_scratch_cnt; i++)
		if (base >= kho_scratch[i].addr &&
		    base + size <= kho_scratch[i].addr + kho_scratch[i].size)
			return true;
	return false;
}

static const struct kho_scratch *largest_scratch(void)
{
	const struct kho_scratch *largest = kho_scratch;

	for (unsigned int i = 1; i < kho_scratch_cnt; i++)
		if (kho_scratch[i].size > largest->size)
			largest = &kho_scratch[i];
	return largest;
}

static int check_places(const struct kimage *image)
{
	const struct kho_scratch *area = largest_scratch();

	for (unsigned long i = 0; i < image->nr_segments; i++) {
		u64 base = image->segment[i].mem, size = image->segment[i].memsz;

		if (in_scratch(base, size))
			continue;
		pr_err("kexec segment %lu [%#llx-%#llx] is in no scratch area, as [%#llx-%#llx]: image refused\n",
		       i, base, base + size - 1, (u64)area->addr,
		       (u64)area->addr + area->size - 1);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/* The image's own place for the page and the tree, maybe with a tree of its own. */
static int map_segment(struct kimage *image)
{
	const struct kexec_segment *last = &image->segment[image->nr_segments - 1];

	if (last->memsz < KHO_HANDOVER_SIZE + PAGE_SIZE) {
		pr_err("the segment for the handover page has %zu bytes, less than %lu: image refused\n",
		       last->memsz, KHO_HANDOVER_SIZE + PAGE_SIZE);
		return -EINVAL;
	}
	if (last->bufsz && last->bufsz <= KHO_HANDOVER_SIZE) {
		pr_err("the segment for the handover page has %zu bytes of data, and no tree in them: image refused\n",
		       last->bufsz);
		return -EINVAL;
	}
	image->kho.handover = kimage_map_segment(image, image->nr_segments - 1);
	if (!image->kho.handover)
		return -ENOMEM;
	if (last->bufsz)
		pr_warn("the image has a tree of its own: what this kernel preserves may be lost\n");
	return 0;
}

/**
 * kho_load_image - see whether an image of kexec_load() hands KHO's state on
 * @image: with its segments loaded, and user memory still to be read
 * @flags: of the system call
 *
 * It does if its command line names the handover page, this kernel's own or the
 * segment that the image has for it.  Then all its segments must be in scratch
 * areas.
 *
 * Context: process.
 *
 * Return: 0, also if it does not; -EINVAL if the segment for the page is
 * not fit for it or not named, or the image is not for handing over; -EOPNOTSUPP
 * if it has one and KHO is off, -EADDRNOTAVAIL if a segment is elsewhere, or
 * another error.
 */
int kho_load_image(struct kimage *image, unsigned long flags)
{
	bool segment = flags & KEXEC_HANDOVER;
	phys_addr_t phys;
	int ret;

	if (image->type == KEXEC_TYPE_CRASH || image->preserve_context) {
		if (segment)
			pr_err("such an image hands nothing over: image refused\n");
		return segment ? -EINVAL : 0;
	}
	if (!own) {
		if (segment)
			pr_err("there is nothing to hand over with this kernel: image refused\n");
		return segment ? -EOPNOTSUPP : 0;
	}
	phys = segment ? image->segment[image->nr_segments - 1].mem : virt_to_phys(own);
	ret = names_page(image, phys);
	if (!ret && segment) {
		pr_err("the last %s= of the image's command line is not %#llx: image refused\n",
		       KHO_HANDOVER_ARG, (u64)phys);
		return -EINVAL;
	}
	if (ret <= 0)
		return ret;
	ret = check_places(image);
	if (!ret && segment)
		ret = map_segment(image);
	if (ret)
		return ret;
	if (!any_segment(image, KERNEL_MAX, KHO_HANDOVER_ARG, has_name))
		pr_warn("the image's kernel seems not to know %s=: if it does not, all that is preserved is lost\n",
			KHO_HANDOVER_ARG);
	image->kho.fdt = virt_to_phys(kho_out_fdt());
	return 0;
}

/**
 * kho_load_own_tree - does the image bring a tree of its own to be passed on?
 * @image: any that was loaded
 *
 * Context: any.
 *
 * Return: true if what this kernel preserves is not in the tree that the next one
 * will get, or may not be.
 */
bool kho_load_own_tree(const struct kimage *image)
{
	return image->kho.handover && image->segment[image->nr_segments - 1].bufsz;
}

/**
 * kho_load_fill - fill the handover page of an image that is about to be started
 * @image: any
 *
 * Context: just before the jump, when KHO's tree does not change any more.
 */
void kho_load_fill(struct kimage *image)
{
	const struct kexec_segment *last = &image->segment[image->nr_segments - 1];
	void *page = image->kho.handover;

	if (image->file_mode || image->type == KEXEC_TYPE_CRASH || image->preserve_context)
		return;
	/* A loader may pass on the device tree that this kernel was started with. */
	kho_in_forget();
	if (!image->kho.fdt)
		return;
	if (!page) {
		fill(own, virt_to_phys(own), virt_to_phys(kho_out_fdt()), PAGE_SIZE);
		return;
	}
	if (!last->bufsz)
		memcpy(page + KHO_HANDOVER_SIZE, kho_out_fdt(), PAGE_SIZE);
	fill(page, last->mem, last->mem + KHO_HANDOVER_SIZE,
	     last->bufsz ? last->memsz - KHO_HANDOVER_SIZE : PAGE_SIZE);
}

/**
 * kho_load_free - give up what kho_load_image() has set up
 * @image: any
 *
 * Context: process.
 */
void kho_load_free(struct kimage *image)
{
	if (image->kho.handover)
		kimage_unmap_segment(image->kho.handover);
}

/* KASLR goes by the last one, too. */
static bool __init is_last(const char *arg)
{
	const char *line = boot_command_line, *at = line, *last = NULL;

	while ((at = strstr(at, KHO_HANDOVER_ARG "="))) {
		if (at == line || isspace(at[-1]))
			last = at + strlen(KHO_HANDOVER_ARG "=");
		at++;
	}
	return last && strcspn(last, " ") == strlen(arg) && !memcmp(last, arg, strlen(arg));
}

/* Anything may be on a command line: believe only what a kernel has just filled. */
static int __init parse_kho_handover(char *arg)
{
	u64 phys, fdt, fdt_size, nr;
	struct kho_handover *h;
	bool valid;

	if (!arg || kstrtou64(arg, 0, &phys) || !phys || !IS_ALIGNED(phys, KHO_HANDOVER_SIZE)) {
		pr_warn(KHO_HANDOVER_ARG "=%s: malformed\n", arg ?: "");
		return 0;
	}
	if (!is_last(arg))
		return 0;
	h = early_memremap(phys, KHO_HANDOVER_SIZE);
	if (!h) {
		pr_warn(KHO_HANDOVER_ARG "=%s: cannot be mapped\n", arg);
		return 0;
	}
	valid = kho_handover_valid(h, phys);
	fdt = le64_to_cpu(h->fdt);
	fdt_size = le64_to_cpu(h->fdt_size);
	nr = le64_to_cpu(h->nr_scratch);
	if (valid)
		h->magic = 0;
	early_memunmap(h, KHO_HANDOVER_SIZE);
	if (!valid) {
		pr_warn(KHO_HANDOVER_ARG "=%s: nothing was handed over there\n", arg);
		return 0;
	}
	/* If they are in a segment of the image, nobody else keeps them. */
	memblock_reserve(phys, KHO_HANDOVER_SIZE);
	memblock_reserve(fdt, fdt_size);
	kho_populate(fdt, fdt_size, phys + offsetof(struct kho_handover, scratch),
		     nr * sizeof(struct kho_scratch));
	return 0;
}
early_param(KHO_HANDOVER_ARG, parse_kho_handover);

/* What to add to the next kernel's command line. */
static ssize_t cmdline_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, KHO_HANDOVER_ARG "=%#llx\n", (u64)kho_load_phys());
}

/* Arguments of kexec-tools that keep all segments in one area, the largest. */
static ssize_t args_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct kho_scratch *area = largest_scratch();

	return sysfs_emit(buf, "--mem-min=%#llx --mem-max=%#llx\n", (u64)area->addr,
			  (u64)area->addr + area->size - 1);
}

/* All areas that segments may be in, a line each: first and last byte. */
static ssize_t scratch_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int len = 0;

	for (unsigned int i = 0; i < kho_scratch_cnt; i++)
		if (kho_scratch[i].size)
			len += sysfs_emit_at(buf, len, "%#llx-%#llx\n", (u64)kho_scratch[i].addr,
					     (u64)kho_scratch[i].addr + kho_scratch[i].size - 1);
	return len;
}

static struct kobj_attribute cmdline_attr = __ATTR(cmdline, 0400, cmdline_show, NULL);
static struct kobj_attribute args_attr = __ATTR(args, 0400, args_show, NULL);
static struct kobj_attribute scratch_attr = __ATTR(scratch, 0400, scratch_show, NULL);

static const struct attribute *const attrs[] = {
	&cmdline_attr.attr,
	&args_attr.attr,
	&scratch_attr.attr,
	NULL
};

/*
 * arm64 shows what memblock has reserved as "reserved" in /proc/iomem, and
 * kexec-tools keep off that.  Scratch areas are reserved, but they are where
 * images are to go: hold their places while the rest is entered.
 */
static struct resource *places __initdata;

static int __init hold_places(void)
{
	if (kho_is_enabled())
		places = kzalloc_objs(*places, kho_scratch_cnt);
	for (unsigned int i = 0; places && i < kho_scratch_cnt; i++) {
		if (!kho_scratch[i].size)
			continue;
		places[i].name = "KHO scratch";
		places[i].start = kho_scratch[i].addr;
		places[i].end = kho_scratch[i].addr + kho_scratch[i].size - 1;
		places[i].flags = IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY;
		/* The kernel may be in there. */
		if (insert_resource(&iomem_resource, &places[i]))
			pr_warn("scratch area %pR may not be free to kexec-tools\n", &places[i]);
	}
	return 0;
}
core_initcall(hold_places);

static int __init give_places_up(void)
{
	for (unsigned int i = 0; places && i < kho_scratch_cnt; i++)
		if (places[i].parent)
			remove_resource(&places[i]);
	kfree(places);
	return 0;
}
arch_initcall_sync(give_places_up);

/* After kho_init(). */
static int __init kho_load_init(void)
{
	struct kobject *kobj;
	void *mem;

	if (!kho_is_enabled())
		return 0;
	if (kho_scratch_cnt > KHO_HANDOVER_MAX_SCRATCH) {
		pr_warn("no handover with kexec_load: more than %d scratch areas\n",
			KHO_HANDOVER_MAX_SCRATCH);
		return 0;
	}
	mem = kho_alloc_preserve(KHO_HANDOVER_SIZE);
	if (IS_ERR(mem))
		return PTR_ERR(mem);
	kobj = kobject_create_and_add("kexec_handover", kernel_kobj);
	if (!kobj || sysfs_create_files(kobj, attrs)) {
		kobject_put(kobj);
		kho_unpreserve_free(mem);
		return -ENOMEM;
	}
	own = mem;
	return 0;
}
fs_initcall_sync(kho_load_init);
