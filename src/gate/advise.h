// SPDX-License-Identifier: Apache-2.0
/*
 * advise: warnings about rules that load and do not do what was meant.
 *
 * Apart from settings_load(), because only `sekisho check` has someone who reads them.
 */
#pragma once

#include "gate/settings.h"

/* Adds a warning for each finding of rule/lint.h, at its place in the configuration. */
void settings_advise(const struct settings *s, struct conf_report *report);
