// SPDX-License-Identifier: Apache-2.0
/*
 * page_files: the files of web/pages/ as the program carries them.
 */
#pragma once

#include "base/embedded.h"

/* Made by tools/embed at build. */
extern const struct embedded page_files[];
