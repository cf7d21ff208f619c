// SPDX-License-Identifier: Apache-2.0
/*
 * value: what a single word of a configuration means, by type.
 */
#pragma once

#include "base/ip.h"

/* Where to listen, or whom to reach. */
struct conf_address {
	struct span host; /* without brackets; empty means every address */
	struct ip ip;     /* IP_NONE when host is a name */
	uint16_t port;    /* 0 when none was given */
};

/* Decimal digits; "_" may stand between them. */
MUST_USE bool conf_read_int(struct span s, uint64_t *out);
/* Octets: digits and b, k, m, g (also K, M, G, kB, KiB, …); always powers of 1,024. */
MUST_USE bool conf_read_size(struct span s, uint64_t *out);
/* Milliseconds: 250ms, 10s, 5min, 18h, 30d, 2w, also several: 1h30min. "0" is none.
 * Another bare number has no unit and is refused. */
MUST_USE bool conf_read_duration(struct span s, uint64_t *ms);
/* 0% to 100%. */
MUST_USE bool conf_read_percent(struct span s, uint64_t *out);
/* on, yes, true; off, no, false. */
MUST_USE bool conf_read_flag(struct span s, bool *out);
/* 10.0.0.1:80, [::1]:80, :80, name:80, name, 10.0.0.1, [::1], ::1. A name is letters,
 * digits, '-', '_' and '.', at most 253. Host points into s. */
MUST_USE bool conf_read_address(struct span s, struct conf_address *out);
/* A name of ours: letters, digits, '-', '_', '.', '/', at most 64 octets, no leading
 * '-'. */
MUST_USE bool conf_is_name(struct span s);

enum { CONF_VALUE_TEXT = 32 };
/* The shortest text that reads back as the same: "64k", "1h30min". Returns dst. */
const char *conf_size_text(char dst[CONF_VALUE_TEXT], uint64_t n);
const char *conf_duration_text(char dst[CONF_VALUE_TEXT], uint64_t ms);
