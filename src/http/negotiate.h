// SPDX-License-Identifier: Apache-2.0
/*
 * negotiate: which form of a page of ours a client likes (RFC 9110 §12).
 */
#pragma once

#include "http/msg.h"

/* Quality 0 to 1000 with which Accept takes this media type; 1000 without Accept. */
MUST_USE unsigned negotiate_type(const struct http_fields *f, struct span type);
/* Index of the language (by primary tag, as "de") of n that Accept-Language likes most;
 * 0 when none is liked. */
MUST_USE size_t negotiate_language(
	const struct http_fields *f, const struct span *tags, size_t n);
