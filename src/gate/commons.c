// SPDX-License-Identifier: Apache-2.0
#include "gate/commons.h"

#include "base/clock.h"
#include "gate/settings.h"
#include "tls/ids.h"
#include "tls/once.h"

void
commons_follow(struct settings *s)
{
	once_follow(s->once, clock_now() / 1000);
}

bool
commons_open(struct settings *s, const struct settings *before, struct err *err)
{
	s->ids = before && before->ids ? ids_get(before->ids) : ids_new(IDS_SLOTS, err);
	s->once = before && before->once ? once_get(before->once)
					 : once_new(ONCE_SLOTS, err);
	/* With a secret of one start there are no tickets of another. */
	bool lasts = s->ticket_file.n > 0 || fleet_is_set(&s->tickets);
	if (!before && s->once && lasts)
		commons_follow(s);
	return s->ids && s->once;
}
