// SPDX-License-Identifier: Apache-2.0
#include "fact/geo.h"

#include <maxminddb.h>
#include <string.h>

#include "base/mem.h"

enum { PATH_MAX_PARTS = 5 };

struct geo {
	MMDB_s *files; /* owned */
	size_t n;
};

static const char *const ways[][PATH_MAX_PARTS] = {
	[GEO_COUNTRY] = {"country", "iso_code"},
	[GEO_CONTINENT] = {"continent", "code"},
	[GEO_ASNUM] = {"autonomous_system_number"},
	[GEO_CITY] = {"city", "names", "en"},
	[GEO_REGION] = {"subdivisions", "0", "names", "en"},
	[GEO_REGION_CODE] = {"subdivisions", "0", "iso_code"},
	[GEO_POSTAL_CODE] = {"postal", "code"},
	[GEO_METRO_CODE] = {"location", "metro_code"},
	[GEO_TIMEZONE] = {"location", "time_zone"},
	[GEO_EUROPEAN_UNION] = {"country", "is_in_european_union"},
};

struct geo *
geo_open(const char *const *paths, size_t n, struct err *err)
{
	struct geo *g = mem_alloc(sizeof(*g));
	g->files = mem_array(n, sizeof(*g->files));
	for (size_t i = 0; i < n; i++) {
		int e = MMDB_open(paths[i], MMDB_MODE_MMAP, &g->files[i]);
		if (e == MMDB_SUCCESS) {
			g->n++;
			continue;
		}
		(void)err_set(err, ERR_FILE_READ, "%s: %s", paths[i], MMDB_strerror(e));
		geo_close(g);
		return NULL;
	}
	return g;
}

void
geo_close(struct geo *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < g->n; i++)
		MMDB_close(&g->files[i]);
	mem_free(g->files);
	mem_free(g);
}

static struct value
value_of(const MMDB_entry_data_s *d)
{
	switch (d->type) {
	case MMDB_DATA_TYPE_UTF8_STRING:
		return value_string(span_of(d->utf8_string, d->data_size));
	case MMDB_DATA_TYPE_BOOLEAN:
		return value_bool(d->boolean);
	case MMDB_DATA_TYPE_UINT16:
		return value_int(d->uint16);
	case MMDB_DATA_TYPE_UINT32:
		return value_int(d->uint32);
	default: /* the file's own types */
		return value_missing();
	}
}

static MMDB_lookup_result_s
find_entry(const MMDB_s *file, const struct ip *ip)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to = {0};
	int e = 0;
	if (ip->family == IP_V4) {
		to.v4.sin_family = AF_INET;
		memcpy(&to.v4.sin_addr, ip->bytes, 4);
	} else {
		to.v6.sin6_family = AF_INET6;
		memcpy(&to.v6.sin6_addr, ip->bytes, 16);
	}
	MMDB_lookup_result_s found = MMDB_lookup_sockaddr(file, &to.any, &e);
	found.found_entry = e == MMDB_SUCCESS && found.found_entry;
	return found;
}

static enum value_kind
kind_of(enum geo_what what)
{
	if (what == GEO_EUROPEAN_UNION)
		return VALUE_BOOL;
	return what == GEO_ASNUM ? VALUE_INT : VALUE_STRING;
}

struct value
geo_find(const struct geo *g, const struct ip *ip, enum geo_what what)
{
	for (size_t i = 0; g != NULL && ip->family != IP_NONE && i < g->n; i++) {
		MMDB_entry_data_s data;
		MMDB_lookup_result_s found = find_entry(&g->files[i], ip);
		if (!found.found_entry ||
			MMDB_aget_value(&found.entry, &data, ways[what]) !=
				MMDB_SUCCESS ||
			!data.has_data)
			continue;
		struct value v = value_of(&data);
		if (v.kind == kind_of(what))
			return v;
	}
	return value_missing();
}
