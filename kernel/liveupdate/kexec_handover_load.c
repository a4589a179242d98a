// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kexec handover with images of kexec_load(2): the command line names a page
 * that tells the next kernel where KHO's tree and scratch areas are.  See
 * include/linux/kho/abi/kho_load.h.
 *
 * User space places the segments itself.  Like those of kexec_file_load(), they
 * have to be in scratch areas, because any other memory may be preserved.
 * /sys/kernel/kexec_handover says where these areas are.
 */
#define pr_fmt(fmt) "KHO: " fmt

#include <linux/init.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/kho_load.h>
#include <linux/kho_image.h>
#include <linux/kho_load.h>
#include <linux/kho_load_line.h>
#include <linux/kobject.h>
#include <linux/libfdt.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

#include <asm/setup.h>

#include "kexec_handover_internal.h"

/* kho_populate() uses the page's list as a list of struct kho_scratch. */
static_assert(sizeof(struct kho_handover) == KHO_HANDOVER_SIZE);
static_assert(sizeof(struct kho_handover_scratch) == sizeof(struct kho_scratch));
static_assert(offsetof(struct kho_handover_scratch, size) == offsetof(struct kho_scratch, size));

/* Larger segments do not contain a kernel. */
#define KERNEL_MAX	SZ_256M

/* Preserved, so the next kernel can read it at any time. */
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

/**
 * kho_load_areas - the scratch areas, which segments of an image have to be in
 * @nr: set to how many there are
 *
 * Context: any, after kho_memory_init().
 *
 * Return: the first of them; some may have no size.
 */
const struct kho_scratch *kho_load_areas(unsigned int *nr)
{
	*nr = kho_is_enabled() ? kho_scratch_cnt : 0;
	return kho_scratch;
}

static void kho_load_fill_in(struct kho_handover *h, phys_addr_t self, phys_addr_t fdt,
			     u64 fdt_size)
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

/* The bare name of the argument is in code that parses it, and on no command line. */
static bool kho_load_has_name(const char *text, size_t size)
{
	const char *end = text + size, *name = KHO_HANDOVER_ARG;
	size_t len = strlen(name) + 1;

	while ((text = memchr(text, *name, end - text)) && end - text >= len)
		if (!memcmp(text++, name, len))
			return true;
	return false;
}

/* Does one of the loaded segments contain the name? */
static bool kho_load_knows_page(struct kimage *image)
{
	bool found = false;

	for (unsigned long i = 0; i < image->nr_segments && !found; i++) {
		size_t size = image->segment[i].bufsz;
		void *text = size && size <= KERNEL_MAX ? kimage_map_segment(image, i) : NULL;

		if (text) {
			found = kho_load_has_name(text, size);
			kimage_unmap_segment(text);
		}
	}
	return found;
}

/* The page that the image's command line names, as its kernel will read it; or 0. */
static int kho_load_named_page(struct kimage *image, u64 *page)
{
	struct kho_image *seen = kho_image_open(image);

	*page = 0;
	if (!seen)
		return -ENOMEM;
	if (!seen->lines || seen->wrong || kho_line_page(seen->line, page) != KHO_LINE_PAGE)
		*page = 0;
	kho_image_close(seen);
	return 0;
}

static bool kho_load_in_scratch(u64 base, u64 size)
{
	for (unsigned int i = 0; i < kho_scratch_cnt; i++)
		if (base >= kho_scratch[i].addr &&
		    base + size <= kho_scratch[i].addr + kho_scratch[i].size)
			return true;
	return false;
}

static const struct kho_scratch *kho_load_largest_scratch(void)
{
	const struct kho_scratch *largest = kho_scratch;

	for (unsigned int i = 1; i < kho_scratch_cnt; i++)
		if (kho_scratch[i].size > largest->size)
			largest = &kho_scratch[i];
	return largest;
}

static int kho_load_check_places(const struct kimage *image)
{
	const struct kho_scratch *area = kho_load_largest_scratch();

	for (unsigned long i = 0; i < image->nr_segments; i++) {
		u64 base = image->segment[i].mem, size = image->segment[i].memsz;

		if (kho_load_in_scratch(base, size))
			continue;
		pr_err("kexec segment %lu [%#llx-%#llx] is not in a scratch area, such as [%#llx-%#llx]: image refused\n",
		       i, base, base + size - 1, (u64)area->addr,
		       (u64)area->addr + area->size - 1);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/* The image's own segment for the page and the tree, possibly with its own tree. */
static int kho_load_map_segment(struct kimage *image)
{
	const struct kexec_segment *last = &image->segment[image->nr_segments - 1];

	if (last->memsz < KHO_HANDOVER_SIZE + PAGE_SIZE) {
		pr_err("the segment for the handover page has %zu bytes, less than %lu: image refused\n",
		       last->memsz, KHO_HANDOVER_SIZE + PAGE_SIZE);
		return -EINVAL;
	}
	if (last->bufsz && last->bufsz <= KHO_HANDOVER_SIZE) {
		pr_err("the segment for the handover page has %zu bytes of data, but no tree in them: image refused\n",
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
 * kho_load_image - check whether an image hands KHO's state on by a handover page
 * @image: with its segments loaded
 * @flags: of kexec_load(), 0 for an image of kexec_file_load()
 *
 * An image of kexec_load() does so if its command line names the handover page: either
 * this kernel's own, or the segment that the image has for it.  Then all its segments
 * must be in scratch areas.  In any case, the named page is remembered for
 * kho_load_fill().
 *
 * Context: process.
 *
 * Return: 0, also if it does not; -EINVAL if the segment for the page is not
 * suitable or not named, or if such an image cannot hand over; -EOPNOTSUPP if it has
 * such a segment and KHO is off; -EADDRNOTAVAIL if a segment is outside of the scratch
 * areas; or another error.
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
	if (!own && segment) {
		pr_err("there is nothing to hand over with this kernel: image refused\n");
		return -EOPNOTSUPP;
	}
	ret = kho_load_named_page(image, &image->kho.named);
	if (ret || image->file_mode || !own)
		return ret;
	phys = segment ? image->segment[image->nr_segments - 1].mem : virt_to_phys(own);
	if (image->kho.named != phys) {
		if (segment)
			pr_err("the last %s= of the image's command line is not %#llx: image refused\n",
			       KHO_HANDOVER_ARG, (u64)phys);
		return segment ? -EINVAL : 0;
	}
	ret = kho_load_check_places(image);
	if (!ret && segment)
		ret = kho_load_map_segment(image);
	if (ret)
		return ret;
	if (!kho_load_knows_page(image))
		pr_warn("the image's kernel does not seem to know %s=: if it does not, everything that is preserved is lost\n",
			KHO_HANDOVER_ARG);
	image->kho.fdt = virt_to_phys(kho_out_fdt());
	return 0;
}

/**
 * kho_load_own_tree - does the image pass on its own tree?
 * @image: any that was loaded
 *
 * Context: any.
 *
 * Return: true if the next kernel's tree may lack what this kernel preserves.
 */
bool kho_load_own_tree(const struct kimage *image)
{
	return image->kho.handover && image->segment[image->nr_segments - 1].bufsz;
}

/*
 * The page that the command line names is not the one that is handed over, so it is
 * stale or forged, and the next kernel must not believe it.
 */
static void kho_load_make_invalid(phys_addr_t phys)
{
	struct kho_handover *h;
	u64 magic, none = 0;

	if (!phys || region_intersects(phys, KHO_HANDOVER_SIZE, IORESOURCE_SYSTEM_RAM,
				       IORES_DESC_NONE) != REGION_INTERSECTS)
		return;
	h = phys_to_virt(phys);
	/* Secret memory or a crash kernel's memory may not be in the direct map. */
	if (!copy_from_kernel_nofault(&magic, &h->magic, sizeof(magic)) &&
	    kho_handover_valid(h, phys))
		copy_to_kernel_nofault(&h->magic, &none, sizeof(none));
}

/**
 * kho_load_fill - fill the handover page of an image that is about to be started
 * @image: any
 *
 * Context: just before the jump, when KHO's tree no longer changes.
 */
void kho_load_fill(struct kimage *image)
{
	const struct kexec_segment *last = &image->segment[image->nr_segments - 1];
	void *page = image->kho.handover;

	if (image->type == KEXEC_TYPE_CRASH || image->preserve_context)
		return;
	if (image->file_mode || !image->kho.fdt)
		kho_load_make_invalid(image->kho.named);
	if (image->file_mode)
		return;
	/* A loader may pass on the device tree that this kernel was started with. */
	kho_in_forget();
	if (!image->kho.fdt)
		return;
	if (!page) {
		kho_load_fill_in(own, virt_to_phys(own), virt_to_phys(kho_out_fdt()), PAGE_SIZE);
		return;
	}
	if (!last->bufsz)
		memcpy(page + KHO_HANDOVER_SIZE, kho_out_fdt(), PAGE_SIZE);
	kho_load_fill_in(page, last->mem, last->mem + KHO_HANDOVER_SIZE,
			 last->bufsz ? last->memsz - KHO_HANDOVER_SIZE : PAGE_SIZE);
}

/**
 * kho_load_free - release what kho_load_image() has set up
 * @image: any
 *
 * Context: process.
 */
void kho_load_free(struct kimage *image)
{
	if (image->kho.handover)
		kimage_unmap_segment(image->kho.handover);
}

static int __init kho_load_locks_down(const char *param, const char *val)
{
	return !strcmp(param, "lockdown") && val &&
	       (!strcmp(val, "integrity") || !strcmp(val, "confidentiality"));
}

/*
 * Is this kernel locked down, or about to be?  The security module is not up yet, so go
 * by what it and setup_arch() will see.  @line is overwritten.
 */
static bool __init kho_load_locked_down(char *line)
{
	char *param, *val;

	if (IS_ENABLED(CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY) ||
	    IS_ENABLED(CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY) || kho_arch_secure_boot())
		return true;
	if (!IS_ENABLED(CONFIG_SECURITY_LOCKDOWN_LSM))
		return false;
	line = skip_spaces(line);
	while (*line) {
		line = next_arg(line, &param, &val);
		if (!val && !strcmp(param, "--"))
			break;
		if (kho_load_locks_down(param, val))
			return true;
	}
	return false;
}

/* Anything may be on a command line: believe only what a kernel has just filled. */
static void __init kho_load_take_page(u64 phys)
{
	u64 fdt, fdt_size, nr;
	struct kho_handover *h;
	bool valid;

	h = early_memremap(phys, KHO_HANDOVER_SIZE);
	if (!h) {
		pr_warn(KHO_HANDOVER_ARG "=%#llx: cannot be mapped\n", phys);
		return;
	}
	valid = kho_handover_valid(h, phys);
	fdt = le64_to_cpu(h->fdt);
	fdt_size = le64_to_cpu(h->fdt_size);
	nr = le64_to_cpu(h->nr_scratch);
	if (valid)
		h->magic = 0;
	early_memunmap(h, KHO_HANDOVER_SIZE);
	if (!valid) {
		pr_warn(KHO_HANDOVER_ARG "=%#llx: nothing was handed over there\n", phys);
		return;
	}
	/* If they are in a segment of the image, nothing else reserves them. */
	memblock_reserve(phys, KHO_HANDOVER_SIZE);
	memblock_reserve(fdt, fdt_size);
	kho_populate(fdt, fdt_size, phys + offsetof(struct kho_handover, scratch),
		     nr * sizeof(struct kho_scratch));
}

/*
 * Called for each such word; the line as a whole says which one counts.  Nothing is
 * written to a page that is not believed, as it may be anyone's memory.
 */
static int __init kho_load_parse_kho_handover(char *arg)
{
	static char line[COMMAND_LINE_SIZE] __initdata;
	static bool done __initdata;
	enum kho_line found;
	u64 phys;

	if (done)
		return 0;
	done = true;
	strscpy(line, boot_command_line);
	found = kho_line_page(line, &phys);
	if (found == KHO_LINE_MALFORMED)
		pr_warn("the last " KHO_HANDOVER_ARG "= is malformed\n");
	if (found != KHO_LINE_PAGE)
		return 0;
	if (is_kho_boot()) {
		pr_info(KHO_HANDOVER_ARG "=%#llx: ignored, the previous kernel has handed over by itself\n",
			phys);
		return 0;
	}
	strscpy(line, boot_command_line);
	if (kho_load_locked_down(line)) {
		pr_warn(KHO_HANDOVER_ARG "=%#llx: ignored, because the kernel is locked down\n",
			phys);
		return 0;
	}
	kho_load_take_page(phys);
	return 0;
}
early_param(KHO_HANDOVER_ARG, kho_load_parse_kho_handover);

/* What to add to the next kernel's command line. */
static ssize_t kho_load_cmdline_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, KHO_HANDOVER_ARG "=%#llx\n", (u64)kho_load_phys());
}

/* Arguments for kexec-tools that keep all segments in one area, the largest. */
static ssize_t kho_load_args_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct kho_scratch *area = kho_load_largest_scratch();

	return sysfs_emit(buf, "--mem-min=%#llx --mem-max=%#llx\n", (u64)area->addr,
			  (u64)area->addr + area->size - 1);
}

/* All areas that segments may be in, one per line: first and last byte. */
static ssize_t kho_load_scratch_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int len = 0;

	for (unsigned int i = 0; i < kho_scratch_cnt; i++)
		if (kho_scratch[i].size)
			len += sysfs_emit_at(buf, len, "%#llx-%#llx\n", (u64)kho_scratch[i].addr,
					     (u64)kho_scratch[i].addr + kho_scratch[i].size - 1);
	return len;
}

static struct kobj_attribute cmdline_attr = __ATTR(cmdline, 0400, kho_load_cmdline_show, NULL);
static struct kobj_attribute args_attr = __ATTR(args, 0400, kho_load_args_show, NULL);
static struct kobj_attribute scratch_attr = __ATTR(scratch, 0400, kho_load_scratch_show, NULL);

static const struct attribute *const attrs[] = {
	&cmdline_attr.attr,
	&args_attr.attr,
	&scratch_attr.attr,
	NULL
};

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
