// SPDX-License-Identifier: Apache-2.0
/*
 * snippet: lines for places that no setting of a user reaches: images, builds.
 */
#pragma once

#include "base/attr.h"

/* The text of that name ("docker", "ci-github", "ci-gitlab"), or NULL. */
const char *snippet_find(const char *name);
/* All names, for people. */
const char *snippet_names(void);
