// SPDX-License-Identifier: Apache-2.0
#include "gate/manner.h"

static const uint16_t versions[MANNER_VERSIONS] = {0, TLS_1_2, TLS_1_3};

size_t
manner_index(struct manner m)
{
	size_t i = 0;

	while (i < MANNER_VERSIONS - 1 && versions[i] != m.min_version)
		i++;
	return m.level % MANNER_LEVELS * (size_t)MANNER_VERSIONS + i;
}

struct manner
manner_at(size_t i)
{
	return (struct manner){.min_version = versions[i % MANNER_VERSIONS],
		.level = (uint8_t)(i / MANNER_VERSIONS % MANNER_LEVELS)};
}
