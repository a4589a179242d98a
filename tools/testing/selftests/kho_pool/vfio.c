// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio.h"

/* Those of this kernel, as they are in its sources; the system's may be older. */
#define __user
#define __counted_by(member)
#include "../../../../include/uapi/linux/iommufd.h"
#include "../../../../include/uapi/linux/vfio.h"

static int last_part_of_link(const char *path, char *name, size_t size)
{
	char target[256];
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len < 0)
		return -1;
	target[len] = 0;
	snprintf(name, size, "%s", basename(target));
	return 0;
}

int vfio_open(struct vfio *vfio, const char *bdf)
{
	char path[64], group[32];

	*vfio = (struct vfio){ .iommu = open("/dev/vfio/vfio", O_RDWR), .group = -1 };
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	if (vfio->iommu < 0 || last_part_of_link(path, group, sizeof(group)))
		return -1;
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	vfio->group = open(path, O_RDWR);
	if (vfio->group < 0 || ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->iommu) ||
	    ioctl(vfio->iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -1;
	vfio->device = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	return vfio->device < 0 ? -1 : 0;
}

/* /dev/vfio/devices/vfioN */
static int open_node(const char *bdf)
{
	char path[300];
	struct dirent *entry;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	if (!dir)
		return -1;
	while (fd < 0 && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		fd = open(path, O_RDWR);
	}
	closedir(dir);
	return fd;
}

int vfio_open_iommufd(struct vfio *vfio, const char *bdf)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	*vfio = (struct vfio){ .iommu = open("/dev/iommu", O_RDWR), .group = -1 };
	vfio->device = open_node(bdf);
	if (vfio->iommu < 0 || vfio->device < 0)
		return -1;
	bind.iommufd = vfio->iommu;
	if (ioctl(vfio->device, VFIO_DEVICE_BIND_IOMMUFD, &bind) ||
	    ioctl(vfio->iommu, IOMMU_IOAS_ALLOC, &alloc))
		return -1;
	vfio->ioas = alloc.out_ioas_id;
	attach.pt_id = vfio->ioas;
	return ioctl(vfio->device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

int vfio_map(struct vfio *vfio, void *mem, __u64 size, __u64 iova)
{
	struct vfio_iommu_type1_dma_map dma = {
		.argsz = sizeof(dma),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (unsigned long)mem, .iova = iova, .size = size,
	};
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = vfio->ioas,
		.user_va = (unsigned long)mem, .iova = iova, .length = size,
	};

	if (vfio->group >= 0)
		return ioctl(vfio->iommu, VFIO_IOMMU_MAP_DMA, &dma);
	return ioctl(vfio->iommu, IOMMU_IOAS_MAP, &map);
}

int vfio_map_file(struct vfio *vfio, int fd, __u64 size, __u64 iova)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = vfio->ioas,
		.fd = fd, .iova = iova, .length = size,
	};

	return ioctl(vfio->iommu, IOMMU_IOAS_MAP_FILE, &map);
}

static int region(struct vfio *vfio, __u32 index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	return ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, info);
}

volatile __u8 *vfio_bar0(struct vfio *vfio)
{
	struct vfio_region_info info;
	void *bar;

	if (region(vfio, VFIO_PCI_BAR0_REGION_INDEX, &info))
		return NULL;
	bar = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, vfio->device, info.offset);
	return bar == MAP_FAILED ? NULL : bar;
}

int vfio_master(struct vfio *vfio)
{
	struct vfio_region_info info;
	__u16 command;

	if (region(vfio, VFIO_PCI_CONFIG_REGION_INDEX, &info) ||
	    pread(vfio->device, &command, sizeof(command), info.offset + 4) != sizeof(command))
		return -1;
	/* Memory, and be a master of the bus */
	command |= 2 | 4;
	return pwrite(vfio->device, &command, sizeof(command), info.offset + 4) ==
	       sizeof(command) ? 0 : -1;
}
