// SPDX-License-Identifier: Apache-2.0
#include "gate/commons.h"

#include "base/clock.h"
#include "gate/settings.h"
#include "tls/ids.h"
#include "tls/once.h"

bool
commons_open(struct settings *s, const struct settings *before, struct err *err)
{
	s->ids = before && before->ids ? ids_get(before->ids) : ids_new(IDS_SLOTS, err);
	s->once = before && before->once
		? once_get(before->once)
		: once_new(ONCE_SLOTS, clock_now() / 1000, err);
	return s->ids && s->once;
}
