// SPDX-License-Identifier: Apache-2.0
#include "http/date.h"

#include "base/text.h"

struct parts {
	int64_t year;
	unsigned month; /* 0 to 11 */
	unsigned day;
	unsigned hour;
	unsigned minute;
	unsigned second;
};

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
	"Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_days[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

enum { MONTHS = 12, DAYS = 7, DAY_S = 86400 };

/* What is left of a date; once something was not as expected, nothing is any more. */
struct cursor {
	struct span left;
	bool bad;
};

static void
expect(struct cursor *c, struct span text)
{
	c->bad = c->bad || !span_eq_nocase(span_first(c->left, text.n), text);
	c->left = span_from(c->left, text.n);
}

static unsigned
take_digits(struct cursor *c, size_t n)
{
	unsigned v = 0;

	c->bad = c->bad || c->left.n < n;
	for (size_t i = 0; i < n && !c->bad; i++) {
		c->bad = !ascii_is_digit(c->left.p[i]);
		v = v * 10 + (unsigned)(c->left.p[i] - '0');
	}
	c->left = span_from(c->left, n);
	return v;
}

static unsigned
take_name(struct cursor *c, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct span name = span_str(names[i]);
		if (span_eq_nocase(span_first(c->left, name.n), name)) {
			c->left = span_from(c->left, name.n);
			return i;
		}
	}
	c->bad = true;
	return 0;
}

static void
take_time(struct cursor *c, struct parts *p)
{
	p->hour = take_digits(c, 2);
	expect(c, SPAN(":"));
	p->minute = take_digits(c, 2);
	expect(c, SPAN(":"));
	p->second = take_digits(c, 2);
}

/* Days from 1970-01-01, by the proleptic Gregorian calendar. */
static int64_t
days_of(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month < 2 ? year - 1 : year;
	int64_t era = y / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
		719468;
}

static unsigned
days_in(int64_t year, unsigned month)
{
	static const unsigned n[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return n[month] + (month == 1 && leap ? 1 : 0);
}

static bool
count(const struct parts *p, int64_t *out)
{
	if (p->year < 1600 || p->day < 1 || p->day > days_in(p->year, p->month) ||
		p->hour > 23 || p->minute > 59 || p->second > 60)
		return false;
	*out = days_of(p->year, p->month, p->day) * DAY_S + (int64_t)p->hour * 3600 +
		(int64_t)p->minute * 60 + p->second;
	return true;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool
read_fixed(struct span s, struct parts *p)
{
	struct cursor c = {s, false};

	take_name(&c, days, DAYS);
	expect(&c, SPAN(", "));
	p->day = take_digits(&c, 2);
	expect(&c, SPAN(" "));
	p->month = take_name(&c, months, MONTHS);
	expect(&c, SPAN(" "));
	p->year = take_digits(&c, 4);
	expect(&c, SPAN(" "));
	take_time(&c, p);
	expect(&c, SPAN(" GMT"));
	return !c.bad && c.left.n == 0;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool
read_rfc850(struct span s, struct parts *p)
{
	struct cursor c = {s, false};

	take_name(&c, long_days, DAYS);
	expect(&c, SPAN(", "));
	p->day = take_digits(&c, 2);
	expect(&c, SPAN("-"));
	p->month = take_name(&c, months, MONTHS);
	expect(&c, SPAN("-"));
	p->year = take_digits(&c, 2);
	expect(&c, SPAN(" "));
	take_time(&c, p);
	expect(&c, SPAN(" GMT"));
	return !c.bad && c.left.n == 0;
}

/* Sun Nov  6 08:49:37 1994 */
static bool
read_asctime(struct span s, struct parts *p)
{
	struct cursor c = {s, false};

	take_name(&c, days, DAYS);
	expect(&c, SPAN(" "));
	p->month = take_name(&c, months, MONTHS);
	expect(&c, SPAN(" "));
	if (span_starts(c.left, SPAN(" "))) {
		expect(&c, SPAN(" "));
		p->day = take_digits(&c, 1);
	} else {
		p->day = take_digits(&c, 2);
	}
	expect(&c, SPAN(" "));
	take_time(&c, p);
	expect(&c, SPAN(" "));
	p->year = take_digits(&c, 4);
	return !c.bad && c.left.n == 0;
}

bool
date_read(struct span s, int64_t now_s, int64_t *out)
{
	struct parts p = {0};

	if (read_fixed(s, &p) || read_asctime(s, &p))
		return count(&p, out);
	if (!read_rfc850(s, &p))
		return false;
	int64_t this_year = 1970 + now_s / 31556952; /* mean length of a year */
	p.year += this_year - this_year % 100;
	if (p.year > this_year + 50)
		p.year -= 100;
	return count(&p, out);
}

/* The inverse of days_of(). */
static struct parts
parts_of(int64_t day)
{
	int64_t z = day + 719468;
	int64_t era = z / 146097;
	int64_t of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;
	unsigned month = (unsigned)((m + 2) % 12); /* 0 to 11 */

	return (struct parts){
		.year = y + era * 400 + (month < 2 ? 1 : 0),
		.month = month,
		.day = (unsigned)(of_year - (153 * m + 2) / 5 + 1), /* 1 to 31 */
	};
}

struct span
date_write(char dst[DATE_TEXT], int64_t wall_s)
{
	int64_t day = wall_s / DAY_S;
	int64_t rest = wall_s % DAY_S;
	struct parts p = parts_of(day);
	size_t n = text_format(dst, DATE_TEXT, "%s, %02u %s %04lld %02d:%02d:%02d GMT",
		days[(day + 4) % DAYS], p.day, months[p.month], (long long)p.year,
		(int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));

	return span_of(dst, n);
}
