// SPDX-License-Identifier: Apache-2.0
/*
 * list_file: the forms in which lists of names are published.
 *
 * Each form says in its own way "this name" or "this name and all below". A line that
 * the form knows but that says nothing about a name (a path rule, an exception) is
 * counted as skipped; a line that nobody can read is a fault, so that a damaged file
 * never quietly becomes a short list.
 */
#include "base/text.h"
#include "rule/list_priv.h"

enum { NAME_MAX_OCTETS = 253, LABEL_MAX = 63, LOOK_AHEAD = 40 };

static bool
is_name_octet(uint8_t c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

/* Letters, digits, - and _ in labels of 1 to 63, joined by dots. */
static bool
is_name(struct span s)
{
	size_t label = 0;
	if (s.n == 0 || s.n > NAME_MAX_OCTETS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' ? label == 0
				  : !is_name_octet(s.p[i]) || label >= LABEL_MAX)
			return false;
		label = s.p[i] == '.' ? 0 : label + 1;
	}
	return label > 0;
}

bool
list_body_add_name(
	struct list_body *b, struct span name, unsigned marks, const char **why)
{
	uint8_t lower[NAME_MAX_OCTETS];
	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	if (!is_name(name)) {
		*why = "not a domain name";
		return false;
	}
	span_lower(lower, name);
	if (!string_set_add(&b->strings, span_of(lower, name.n), marks)) {
		*why = "the list is too large";
		return false;
	}
	b->n++;
	return true;
}

static bool
add_text(struct list_body *b, struct span item, const char **why)
{
	if (!string_set_add(&b->strings, item, SET_EXACT)) {
		*why = "the item or the list is too long";
		return false;
	}
	b->n++;
	return true;
}

static bool
add_address(struct list_body *b, struct span item)
{
	struct ip_prefix prefix;
	size_t dots = span_find(item, SPAN(".."));
	struct ip from;
	struct ip to;
	if (ip_prefix_parse(item, &prefix)) {
		ip_set_add_prefix(&b->ips, &prefix);
		return true;
	}
	if (dots == item.n || !ip_parse(span_first(item, dots), &from) ||
		!ip_parse(span_from(item, dots + 2), &to) || from.family != to.family ||
		ip_cmp(&from, &to) > 0)
		return false;
	ip_set_add(&b->ips, &from, &to);
	return true;
}

static bool
looks_like_network(struct span item)
{
	size_t slash = span_chr(item, '/');
	struct ip ip;
	return slash < item.n && ip_parse(span_first(item, slash), &ip);
}

static bool
has_blank(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return true;
	}
	return false;
}

/* Neither number nor address. */
static bool
add_string(struct list_body *b, enum type type, struct span item, const char **why)
{
	if (span_starts(item, SPAN("*.")))
		return list_body_add_name(b, span_from(item, 2), SET_BELOW, why);
	if (span_starts(item, SPAN("."))) {
		return list_body_add_name(
			b, span_from(item, 1), SET_EXACT | SET_BELOW, why);
	}
	if (is_name(item) ||
		(item.n > 1 && is_name(span_first(item, item.n - 1)) &&
			item.p[item.n - 1] == '.')) {
		return list_body_add_name(
			b, item, b->below ? SET_EXACT | SET_BELOW : SET_EXACT, why);
	}
	if (type != TYPE_STRING && (has_blank(item) || looks_like_network(item))) {
		*why = looks_like_network(item) ? "not a network: host bits or length"
						: "an item has blanks in it";
		return false;
	}
	return add_text(b, item, why);
}

bool
list_body_add(struct list_body *b, enum type type, struct span item, const char **why)
{
	int64_t number;
	bool is_number =
		type != TYPE_IP && type != TYPE_STRING && text_i64(item, &number);
	if (is_number)
		int_set_add(&b->ints, number, number);
	if (type == TYPE_INT) {
		*why = "not a number";
		b->n += is_number;
		return is_number;
	}
	bool is_address = type != TYPE_STRING && add_address(b, item);
	if (type == TYPE_IP) {
		*why = "not an address, network or range";
		b->n += is_address;
		return is_address;
	}
	if (is_address && span_chr(item, '/') < item.n) {
		b->n++;
		return true;
	}
	return add_string(b, type, item, why);
}

/* Up to a comment, without blanks at the ends. */
static struct span
without_comment(struct span line)
{
	size_t hash = span_find(line, SPAN(" #"));
	size_t tab = span_find(line, SPAN("\t#"));
	return span_trim(span_first(line, hash < tab ? hash : tab));
}

static bool
is_comment(struct span line)
{
	return line.n == 0 || line.p[0] == '#' || line.p[0] == ';' ||
		span_starts(line, SPAN("//"));
}

static bool
read_plain(struct list_reader *r, struct span line)
{
	if (is_comment(line))
		return true;
	return list_body_add(r->body, r->type, without_comment(line), &r->why);
}

/* The next word, without the blanks around it. */
static bool
take_word(struct span *rest, struct span *word)
{
	*rest = span_trim(*rest);
	size_t n = 0;
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	*word = span_first(*rest, n);
	*rest = span_from(*rest, n);
	return n > 0;
}

/* Names that every hosts file has for the machine itself. */
static bool
is_own_name(struct span name)
{
	static const char *const own[] = {"localhost", "localhost.localdomain", "local",
		"broadcasthost", "ip6-localhost", "ip6-loopback", "ip6-localnet",
		"ip6-mcastprefix", "ip6-allnodes", "ip6-allrouters", "ip6-allhosts",
		"0.0.0.0"};
	for (size_t i = 0; i < COUNT_OF(own); i++) {
		if (span_eq_nocase(name, span_str(own[i])))
			return true;
	}
	return false;
}

static bool
read_hosts(struct list_reader *r, struct span line)
{
	struct span word;
	struct ip ip;
	if (is_comment(line))
		return true;
	struct span rest = without_comment(line);
	if (!take_word(&rest, &word) || !ip_parse(word, &ip)) {
		r->why = "a line of a hosts file starts with an address";
		return false;
	}
	while (take_word(&rest, &word)) {
		if (is_own_name(word)) {
			r->body->skipped++;
		} else if (!list_body_add_name(r->body, word, SET_EXACT, &r->why)) {
			return false;
		}
	}
	return true;
}

static bool
is_record_type(struct span word)
{
	static const char *const known[] = {
		"SOA", "NS", "A", "AAAA", "TXT", "MX", "SRV", "DNAME"};
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (span_eq_nocase(word, span_str(known[i])))
			return true;
	}
	return false;
}

/* TTL and class may stand before the type. */
static bool
take_record_type(struct span *rest, struct span *word)
{
	uint64_t ttl;
	while (take_word(rest, word)) {
		if (!span_eq_nocase(*word, SPAN("IN")) &&
			!text_u64(*word, UINT32_MAX, &ttl))
			return true;
	}
	return false;
}

/* Continuations, directives and the origin's own records say nothing of names. */
static bool
is_zone_matter(struct span line)
{
	uint8_t c = line.p[0];
	return c == ' ' || c == '\t' || c == ')' || c == '$' || c == '@';
}

/* The target of a record that refuses: nothing, or to drop. */
static bool
is_refusal(struct span target)
{
	return span_eq(target, SPAN(".")) || span_eq(target, SPAN("*.")) ||
		span_starts(target, SPAN("rpz-drop"));
}

/* "name CNAME ." is the entry; other targets rewrite or let pass. */
static bool
read_record(struct list_reader *r, struct span rest)
{
	struct span owner;
	struct span word;
	if (!take_word(&rest, &owner) || !take_record_type(&rest, &word)) {
		r->why = "a record has no type";
		return false;
	}
	bool trigger = span_find(owner, SPAN(".rpz-")) < owner.n;
	if (is_record_type(word) || trigger) {
		r->body->skipped++;
		return true;
	}
	if (!span_eq_nocase(word, SPAN("CNAME")) || !take_word(&rest, &word)) {
		r->why = "not a record of a response policy zone";
		return false;
	}
	if (!is_refusal(word)) {
		r->body->skipped++;
		return true;
	}
	bool below = span_starts(owner, SPAN("*."));
	return list_body_add_name(r->body, span_from(owner, below ? 2 : 0),
		below ? SET_BELOW : SET_EXACT, &r->why);
}

static bool
read_rpz(struct list_reader *r, struct span line)
{
	struct span rest = span_first(line, span_chr(line, ';'));
	if (span_trim(rest).n == 0)
		return true;
	if (!is_zone_matter(rest))
		return read_record(r, rest);
	r->body->skipped++;
	return true;
}

/* Only "||name^" speaks of a whole name; options other than these narrow it. */
static bool
read_adblock(struct list_reader *r, struct span line)
{
	struct span rest = line;
	if (line.n == 0 || line.p[0] == '!' || line.p[0] == '[' || line.p[0] == '#')
		return true;
	size_t caret = span_chr(rest, '^');
	struct span options = span_from(rest, caret + 1);
	bool whole = options.n == 0 || span_eq(options, SPAN("$important")) ||
		span_eq(options, SPAN("$all")) || span_eq(options, SPAN("|"));
	struct span name = span_slice(rest, 2, caret);
	const char *unused;
	if (span_starts(rest, SPAN("||")) && caret < rest.n && whole && is_name(name)) {
		return list_body_add_name(
			r->body, name, SET_EXACT | SET_BELOW, &unused);
	}
	if (has_blank(line) && span_find(line, SPAN("#")) == line.n &&
		span_chr(line, '$') == line.n) {
		r->why = "not a filter rule";
		return false;
	}
	r->body->skipped++;
	return true;
}

/* The next cell; quotes may hold commas. Doubled quotes stay doubled: no name has any.
 */
static bool
take_cell(struct span *rest, struct span *cell)
{
	if (rest->n == 0)
		return false;
	if (rest->p[0] != '"')
		return span_cut(rest, ',', cell);
	struct span body = span_from(*rest, 1);
	size_t end = span_chr(body, '"');
	*cell = span_first(body, end);
	*rest = span_from(body, end + 1);
	if (rest->n > 0 && rest->p[0] == ',')
		*rest = span_from(*rest, 1);
	return end < body.n;
}

static bool
find_cell(struct span line, size_t index, struct span *cell)
{
	for (size_t i = 0; take_cell(&line, cell); i++) {
		if (i == index)
			return true;
	}
	return false;
}

static bool
find_column(struct list_reader *r, struct span header, size_t *index)
{
	struct span cell;
	for (*index = 0; take_cell(&header, &cell); ++*index) {
		if (span_eq_nocase(span_trim(cell), r->column))
			return true;
	}
	r->why = "the first line does not name the column";
	return false;
}

static bool
read_csv(struct list_reader *r, struct span text)
{
	struct span line;
	struct span cell;
	size_t index = 0;
	for (r->line = 1; span_cut(&text, '\n', &line); r->line++) {
		line = span_trim(line);
		if (r->line == 1) {
			if (!find_column(r, line, &index))
				return false;
			continue;
		}
		if (line.n == 0)
			continue;
		if (!find_cell(line, index, &cell)) {
			r->why = "the line has fewer columns than the first";
			return false;
		}
		cell = span_trim(cell);
		if (cell.n > 0 && !list_body_add(r->body, r->type, cell, &r->why))
			return false;
	}
	return true;
}

static enum list_format
guess_line(struct span line)
{
	struct span rest = line;
	struct span word;
	struct ip ip;
	if (span_starts(line, SPAN("[Adblock")) || span_starts(line, SPAN("||")) ||
		span_starts(line, SPAN("! ")))
		return LIST_ADBLOCK;
	if (span_starts(line, SPAN("$TTL")) || span_starts(line, SPAN("$ORIGIN")) ||
		span_find(line, SPAN(" CNAME ")) < line.n ||
		span_find(line, SPAN("\tCNAME\t")) < line.n ||
		span_find(line, SPAN(" SOA ")) < line.n)
		return LIST_RPZ;
	bool address = take_word(&rest, &word) && ip_parse(word, &ip);
	struct span behind = span_trim(rest);
	if (address && behind.n > 0 && behind.p[0] != '#')
		return LIST_HOSTS;
	return LIST_AUTO;
}

static enum list_format
guess(struct span text)
{
	struct span line;
	for (size_t i = 0; i < LOOK_AHEAD && span_cut(&text, '\n', &line); i++) {
		enum list_format f = guess_line(span_trim(line));
		if (f != LIST_AUTO)
			return f;
	}
	return LIST_PLAIN;
}

static bool
read_line(struct list_reader *r, enum list_format format, struct span line)
{
	if (format == LIST_HOSTS)
		return read_hosts(r, span_trim(line));
	if (format == LIST_RPZ)
		return read_rpz(r, line);
	if (format == LIST_ADBLOCK)
		return read_adblock(r, span_trim(line));
	return read_plain(r, span_trim(line));
}

bool
list_read(struct list_reader *r, struct span text)
{
	enum list_format format = r->format;
	struct span line;
	if (span_starts(text, SPAN("\xef\xbb\xbf")))
		text = span_from(text, 3);
	if (format == LIST_AUTO)
		format = r->column.n > 0 ? LIST_CSV : guess(text);
	if (format == LIST_CSV)
		return read_csv(r, text);
	for (r->line = 1; span_cut(&text, '\n', &line); r->line++) {
		if (!read_line(r, format, line))
			return false;
	}
	return true;
}
