// SPDX-License-Identifier: Apache-2.0
/*
 * cache_control: the directives of Cache-Control, of requests and of responses
 * (RFC 9111 §5.2, RFC 5861), of CDN-Cache-Control (RFC 9213), and of its older brother
 * Surrogate-Control (W3C Note edge-arch, §2).
 *
 * Unknown directives are passed over. Of a directive given twice the first counts. A
 * number that is none is 0, which makes a response stale and a request demanding
 * (RFC 9111 §4.2.1): never fresher than was meant.
 */
#pragma once

#include "http/msg.h"

enum { CACHE_SECONDS_MOST = 2147483647 }; /* RFC 9111 §1.2.2 */

struct cache_control {
	bool given; /* there was a field at all */
	bool no_store;
	bool no_cache; /* without a list of fields */
	bool is_private;
	bool is_public;
	bool must_revalidate;
	bool proxy_revalidate;
	bool must_understand;
	bool only_if_cached;

	/* Seconds; -1: not said. */
	int64_t max_age;
	int64_t s_maxage;
	int64_t min_fresh;
	int64_t max_stale; /* CACHE_SECONDS_MOST without a number */
	int64_t while_revalidate;
	int64_t if_error;

	/* Names listed by no-cache="…" and private="…", as sent; into the fields. */
	struct span no_cache_fields;
	struct span private_fields;
};

/* Spans of *out lie where the fields' values do. */
void cache_control_read(const struct http_fields *f, struct cache_control *out);

/*
 * CDN-Cache-Control, a Dictionary (RFC 8941 §3.2). False when there is none, or when it
 * is not well formed or has a value of a wrong type: then it counts as absent.
 */
MUST_USE bool cache_control_read_cdn(
	const struct http_fields *f, struct cache_control *out);

/* As what we are named in Surrogate-Capability and by targets of Surrogate-Control. */
#define CACHE_SURROGATE "sekisho"

/*
 * Surrogate-Control, as far as it is said to everybody or to us. False when there is
 * nothing of the kind. What follows the `+` of max-age is how long the response may be
 * used stale while it is asked about.
 */
MUST_USE bool cache_control_read_surrogate(
	const struct http_fields *f, struct cache_control *out);

/* Whether a comma list of names, as in no_cache_fields, has this one. */
MUST_USE bool cache_control_lists(struct span names, struct span name);
