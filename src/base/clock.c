// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <string.h>
#include <time.h>

#include "base/text.h"

static struct {
	uint64_t now_ms;
	int64_t fake_wall_ms;
	bool fake;
} clock_state;

static uint64_t
read_us(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
clock_tick(void)
{
	if (!clock_state.fake)
		clock_state.now_ms = read_us(CLOCK_MONOTONIC) / 1000;
	return clock_state.now_ms;
}

uint64_t
clock_now(void)
{
	return clock_state.now_ms != 0 ? clock_state.now_ms : clock_tick();
}

uint64_t
clock_us(void)
{
	return clock_state.fake ? clock_state.now_ms * 1000 : read_us(CLOCK_MONOTONIC);
}

int64_t
clock_wall_ms(void)
{
	return clock_state.fake ? clock_state.fake_wall_ms
				: (int64_t)(read_us(CLOCK_REALTIME) / 1000);
}

int64_t
clock_wall(void)
{
	return clock_wall_ms() / 1000;
}

void
clock_fake(uint64_t now_ms, int64_t wall_ms)
{
	clock_state.fake = true;
	clock_state.now_ms = now_ms;
	clock_state.fake_wall_ms = wall_ms;
}

void
clock_real(void)
{
	clock_state.fake = false;
	clock_tick();
}

/* A day of the Gregorian calendar. Years are counted from March, so that leap days end
 * them, and from 400 years before the year 0, so that none is negative. */
struct day {
	int64_t year;
	unsigned month;
	unsigned day;
};

static struct day
day_of(int64_t days_since_1970)
{
	enum { PER_400_YEARS = 146097, BEFORE_1970 = 719468 + PER_400_YEARS };
	int64_t z = days_since_1970 + BEFORE_1970;
	int64_t era = z / PER_400_YEARS;
	unsigned in_era = (unsigned)(z % PER_400_YEARS);
	unsigned year =
		(in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * in_year + 2) / 153; /* from March */
	return (struct day){
		.year = (era - 1) * 400 + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = in_year - (153 * month + 2) / 5 + 1,
	};
}

/* The last n digits of v, over the noughts of a form. */
static void
write_digits(char *dst, size_t n, unsigned v)
{
	for (size_t i = n; i > 0; i--, v /= 10)
		dst[i - 1] = (char)('0' + v % 10);
}

const char *
clock_text(char dst[CLOCK_TEXT], int64_t wall_ms)
{
	enum { DAY_MS = 86400000 };
	static const int64_t year_0 = -62167219200000;
	static const int64_t year_10000 = 253402300800000;
	static const char form[CLOCK_TEXT] = "0000-00-00T00:00:00.000Z";
	static const char none[CLOCK_TEXT] = "(no date)";

	if (wall_ms < year_0 || wall_ms >= year_10000) {
		memcpy(dst, none, sizeof(none));
		return dst;
	}
	int64_t days = (wall_ms - year_0) / DAY_MS + year_0 / DAY_MS;
	unsigned ms = (unsigned)(wall_ms - days * DAY_MS);
	struct day d = day_of(days);
	memcpy(dst, form, sizeof(form));
	write_digits(dst, 4, (unsigned)d.year);
	write_digits(dst + 5, 2, d.month);
	write_digits(dst + 8, 2, d.day);
	write_digits(dst + 11, 2, ms / 3600000);
	write_digits(dst + 14, 2, ms / 60000 % 60);
	write_digits(dst + 17, 2, ms / 1000 % 60);
	write_digits(dst + 20, 3, ms % 1000);
	return dst;
}

/* Reads n digits at s.p + at, which must be followed by the octet `then` (0: anything).
 */
static bool
read_digits(struct span s, size_t at, size_t n, uint8_t then, int *out)
{
	uint64_t v = 0;
	if (!text_u64(span_slice(s, at, at + n), 9999, &v) || at + n >= s.n)
		return false;
	*out = (int)v;
	return then == 0 || s.p[at + n] == then;
}

static bool
read_fraction(struct span s, int64_t *ms)
{
	*ms = 0;
	if (s.n == 0)
		return true;
	if (s.p[0] != '.' || s.n < 2 || s.n > 10)
		return false;
	int64_t scale = 100;
	for (size_t i = 1; i < s.n; i++, scale /= 10) {
		if (!ascii_is_digit(s.p[i]))
			return false;
		*ms += scale * (s.p[i] - '0');
	}
	return true;
}

static bool
in_range(const struct tm *tm)
{
	return tm->tm_mon >= 1 && tm->tm_mon <= 12 && tm->tm_mday >= 1 &&
		tm->tm_mday <= 31 && tm->tm_hour <= 23 && tm->tm_min <= 59 &&
		tm->tm_sec <= 60;
}

bool
clock_parse(struct span s, int64_t *wall_ms)
{
	struct tm tm = {0};
	int64_t ms = 0;
	bool ok = s.n >= 20 && s.p[s.n - 1] == 'Z' &&
		read_digits(s, 0, 4, '-', &tm.tm_year) &&
		read_digits(s, 5, 2, '-', &tm.tm_mon) &&
		read_digits(s, 8, 2, 'T', &tm.tm_mday) &&
		read_digits(s, 11, 2, ':', &tm.tm_hour) &&
		read_digits(s, 14, 2, ':', &tm.tm_min) &&
		read_digits(s, 17, 2, 0, &tm.tm_sec) &&
		read_fraction(span_slice(s, 19, s.n - 1), &ms);
	if (!ok || !in_range(&tm))
		return false;
	int day = tm.tm_mday;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time_t t = timegm(&tm);
	if (tm.tm_mday != day) /* 30 February */
		return false;
	*wall_ms = (int64_t)t * 1000 + ms;
	return true;
}
