// SPDX-License-Identifier: Apache-2.0
/*
 * geo: where an address is, from MaxMind DB files of the operator's own.
 *
 * Country, city and network numbers are often sold apart, so several files may be
 * given; the first that knows answers. The files are mapped, and what a look-up gives
 * points into them: nothing is allocated.
 */
#pragma once

#include "base/err.h"
#include "rule/value.h"

struct geo;

enum geo_what {
	GEO_COUNTRY,     /* ISO 3166-1, "JP" */
	GEO_CONTINENT,   /* "AS" */
	GEO_ASNUM,       /* Int */
	GEO_CITY,        /* in English */
	GEO_REGION,      /* in English */
	GEO_REGION_CODE, /* ISO 3166-2 without the country */
	GEO_POSTAL_CODE,
	GEO_METRO_CODE, /* as text */
	GEO_TIMEZONE,
	GEO_EUROPEAN_UNION, /* "Asia/Tokyo" */
};

/* Opens the files; NULL and *err when one is not a MaxMind DB. */
MUST_USE struct geo *geo_open(const char *const *paths, size_t n, struct err *err);
void geo_close(struct geo *g);
/* Missing when no file knows, or g is NULL. */
struct value geo_find(const struct geo *g, const struct ip *ip, enum geo_what what);
