// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scratch areas in /proc/iomem, where kexec-tools looks for places for an image.
 *
 * reserve_memblock_reserved_regions() shows memory that memblock has reserved as
 * "reserved", and kexec-tools avoids it.  Scratch areas are reserved too, but images have to
 * go there: occupy their places while the reserved memory is entered.
 */
#define pr_fmt(fmt) "KHO: " fmt

#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/kexec_handover.h>
#include <linux/kho_load.h>
#include <linux/printk.h>
#include <linux/slab.h>

static struct resource *places __initdata;
static unsigned int nr_places __initdata;

static int __init kho_hold_places(void)
{
	const struct kho_scratch *area = kho_load_areas(&nr_places);

	places = kzalloc_objs(*places, nr_places);
	for (unsigned int i = 0; places && i < nr_places; i++) {
		if (!area[i].size)
			continue;
		places[i].name = "KHO scratch";
		places[i].start = area[i].addr;
		places[i].end = area[i].addr + area[i].size - 1;
		places[i].flags = IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY;
		/* The kernel may be in this area. */
		if (insert_resource(&iomem_resource, &places[i]))
			pr_warn("scratch area %pR may not be free to kexec-tools\n", &places[i]);
	}
	return 0;
}
core_initcall(kho_hold_places);

/* After reserve_memblock_reserved_regions(). */
static int __init kho_give_places_up(void)
{
	for (unsigned int i = 0; places && i < nr_places; i++)
		if (places[i].parent)
			remove_resource(&places[i]);
	kfree(places);
	return 0;
}
arch_initcall_sync(kho_give_places_up);
