// SPDX-License-Identifier: Apache-2.0
/*
 * hosts: the hosts file as it was at start, in memory (hosts(5)).
 *
 * c-ares would read it again for every question; a worker that has given up its files
 * cannot, and a worker that has not should not.
 */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "base/map.h"

enum { HOSTS_MOST = 4 }; /* addresses kept per name */

struct hosts_row {
	struct map_item by_name;
	size_t n;
	struct ip ips[HOSTS_MOST];
};

struct hosts {
	struct map map;
	struct arena arena; /* the rows and their names */
};

void hosts_init(struct hosts *h);
void hosts_fini(struct hosts *h);
/* Takes in a file's text; lines that make no sense are skipped, as everybody does. */
void hosts_add(struct hosts *h, struct span text);
/* name in lower case, without a final dot; or NULL. */
const struct hosts_row *hosts_find(const struct hosts *h, struct span name);
