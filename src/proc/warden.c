// SPDX-License-Identifier: Apache-2.0
#include "proc/warden_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "pki/trust.h"

enum { DAY_S = 86400, OLD_DAYS = 365 };

/* Days before the end at which people are reminded; the nearer the louder. */
static const int64_t reminders[] = {90, 60, 30, 7, 0};

static int64_t
days_until(int64_t end, int64_t now)
{
	int64_t left = end - now;
	return left >= 0 ? left / DAY_S : -((-left) / DAY_S) - 1;
}

/* How many of the reminders have passed. */
static unsigned
nearness(int64_t days)
{
	unsigned n = 0;
	for (size_t i = 0; i < COUNT_OF(reminders); i++)
		n += days < reminders[i] || (days == reminders[i] && days > 0);
	return n;
}

/* ---- authorities */

static const struct gateway *
first_to_end(const struct settings *s)
{
	const struct gateway *first = NULL;
	for (const struct conf_item *it = s->gateways; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		if (g->authority_end != 0 &&
			(!first || g->authority_end < first->authority_end))
			first = g;
	}
	return first;
}

/* Told when it comes nearer, and every day of the last week. */
static void
remind(struct warden *w, const struct settings *s, int64_t now)
{
	const struct gateway *g = first_to_end(s);
	if (!g)
		return;
	int64_t days = days_until(g->authority_end, now);
	unsigned near = nearness(days);
	bool daily = near >= 4 && now / DAY_S != w->told_day;
	stat_set(STAT_AUTHORITY_DAYS, days > 0 ? (uint64_t)days : 0);
	if (near == 0 || (near <= w->told && !daily))
		return;
	w->told = near;
	w->told_day = now / DAY_S;
	if (near >= 4) {
		log_error("authority.ends",
			"gateway=%.*s days_left=%lld hint=\"sekisho ca rotate\"",
			SPAN_ARG(g->name), (long long)days);
	} else {
		log_warn("authority.ends",
			"gateway=%.*s days_left=%lld hint=\"sekisho ca rotate\"",
			SPAN_ARG(g->name), (long long)days);
	}
}

/* ---- roots */

static void
look_at_roots(const struct conf_item *first, uint64_t *stamp, int64_t *oldest)
{
	for (const struct conf_item *it = first; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		if (!g->trust)
			continue;
		int64_t age = trust_age(g->trust);
		*stamp = *stamp * 31 + trust_stamp(g->trust);
		if (age != 0 && (*oldest == 0 || age < *oldest))
			*oldest = age;
	}
}

static void
tell_age(struct warden *w, int64_t oldest, int64_t now)
{
	int64_t days = oldest == 0 ? 0 : (now - oldest) / DAY_S;
	stat_set(STAT_TRUST_AGE_DAYS, days > 0 ? (uint64_t)days : 0);
	if (days <= OLD_DAYS || w->told_old)
		return;
	w->told_old = true;
	log_warn("trust.stale", "days=%lld hint=\"update the files of trusted roots\"",
		(long long)days);
}

static bool
roots_changed(struct warden *w, uint64_t now)
{
	bool settled = now == w->roots_seen;
	w->roots_seen = now;
	if (!settled || now == w->roots_used)
		return false;
	w->roots_used = now;
	log_info("trust.changed", "reason=\"a file of roots is another one\"");
	stat_add(STAT_TRUST_RELOADS, 1);
	return true;
}

bool
warden_look(struct warden *w, const struct settings *s)
{
	int64_t now = clock_wall();
	uint64_t stamp = 0;
	int64_t oldest = 0;

	look_at_roots(s->gateways, &stamp, &oldest);
	look_at_roots(s->edges, &stamp, &oldest);
	if (w->of != s) { /* they were read just now */
		*w = (struct warden){.of = s, .roots_used = stamp, .roots_seen = stamp};
	}
	remind(w, s, now);
	tell_age(w, oldest, now);
	return roots_changed(w, stamp);
}
