/* SPDX-License-Identifier: GPL-2.0-only */
/* A PCI device through VFIO, in a container or with iommufd. */
#ifndef KHO_POOL_TEST_VFIO_H
#define KHO_POOL_TEST_VFIO_H

#include <linux/types.h>

struct vfio {
	int iommu;	/* a container, or /dev/iommu */
	int group;	/* -1 with iommufd */
	int device;
	__u32 ioas;	/* with iommufd */
};

/* Each returns 0, or -1 with errno. */
int vfio_open(struct vfio *vfio, const char *bdf);
int vfio_open_iommufd(struct vfio *vfio, const char *bdf);
int vfio_map(struct vfio *vfio, void *mem, __u64 size, __u64 iova);
/* iommufd's way to map a file that is not mapped here */
int vfio_map_file(struct vfio *vfio, int fd, __u64 size, __u64 iova);
/* Its registers, or NULL */
volatile __u8 *vfio_bar0(struct vfio *vfio);
int vfio_master(struct vfio *vfio);

#endif
