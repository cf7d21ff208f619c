// SPDX-License-Identifier: Apache-2.0
/*
 * manner: how a rule wants TLS spoken on one side of a connection.
 *
 * Each manner that rules of a gateway can come to has a profile of its own in every
 * worker, made at its start: rules only choose.
 */
#pragma once

#include "tls/profile.h"

/* All zero: as the gateway says. */
struct manner {
	uint16_t min_version; /* as on the wire */
	uint8_t level;        /* 1 + enum profile_level */
};

enum {
	MANNER_VERSIONS = 3, /* none, 1.2, 1.3 */
	MANNER_LEVELS = 4,   /* none, and each of enum profile_level */
	MANNERS = MANNER_VERSIONS * MANNER_LEVELS,
};

/* Below MANNERS; 0: as the gateway says. */
size_t manner_index(struct manner m);
/* The reverse, for i below MANNERS. */
struct manner manner_at(size_t i);
