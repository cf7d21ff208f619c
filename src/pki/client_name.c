// SPDX-License-Identifier: Apache-2.0
#include "pki/client_name.h"

#include "base/text.h"
#include "pki/mint_priv.h"
#include "pki/path_priv.h"

enum { VALUE_MAX = 256, ATTRIBUTES = 16 };

/* What a subject can say. To allow one more: its word and OpenSSL's number. */
static const struct {
	struct span word;
	int nid;
} attributes[] = {
	{SPAN_INIT("CN"), NID_commonName},
	{SPAN_INIT("O"), NID_organizationName},
	{SPAN_INIT("OU"), NID_organizationalUnitName},
	{SPAN_INIT("C"), NID_countryName},
	{SPAN_INIT("ST"), NID_stateOrProvinceName},
	{SPAN_INIT("L"), NID_localityName},
	{SPAN_INIT("SN"), NID_surname},
	{SPAN_INIT("GN"), NID_givenName},
	{SPAN_INIT("title"), NID_title},
	{SPAN_INIT("UID"), NID_userId},
	{SPAN_INIT("DC"), NID_domainComponent},
	{SPAN_INIT("serialNumber"), NID_serialNumber},
	{SPAN_INIT("emailAddress"), NID_pkcs9_emailAddress},
};

static int
find_attribute(struct span word)
{
	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		if (span_eq_nocase(word, attributes[i].word))
			return attributes[i].nid;
	}
	return NID_undef;
}

static bool
is_special(uint8_t c)
{
	return span_chr(SPAN(",+\"\\<>;=#"), c) < 9;
}

/* One octet behind a backslash: itself, or two hex digits. */
static bool
take_escaped(struct span *rest, uint8_t *c)
{
	if (rest->n >= 1 && (is_special(rest->p[0]) || rest->p[0] == ' ')) {
		*c = rest->p[0];
		*rest = span_from(*rest, 1);
		return true;
	}
	size_t n = 0;
	if (!text_unhex(span_first(*rest, 2), c, 1, &n) || n != 1)
		return false;
	*rest = span_from(*rest, 2);
	return true;
}

/* A value up to an unescaped comma, without the escapes. */
static bool
take_value(struct span *rest, uint8_t dst[VALUE_MAX], size_t *n)
{
	*n = 0;
	while (rest->n > 0) {
		uint8_t c = rest->p[0];
		*rest = span_from(*rest, 1);
		if (c == ',')
			return true;
		if (c == '+' || c == '"' || c == ';' || c == '<' || c == '>')
			return false; /* several values in one, or no such form */
		if (c == '\\' && !take_escaped(rest, &c))
			return false;
		if (*n == VALUE_MAX || c == 0)
			return false;
		dst[(*n)++] = c;
	}
	return true;
}

static bool
take_attribute(struct span *rest, X509_NAME *name, struct err *err)
{
	uint8_t value[VALUE_MAX];
	size_t n = 0;
	size_t eq = span_chr(*rest, '=');
	struct span word = span_trim(span_first(*rest, eq));
	int nid = eq < rest->n ? find_attribute(word) : NID_undef;

	if (nid == NID_undef) {
		return err_set(err, ERR_PKI_CLIENT,
			"\"%.*s\" begins no attribute of a name",
			SPAN_ARG(span_first(word, 40)));
	}
	*rest = span_from(*rest, eq + 1);
	if (!take_value(rest, value, &n) || n == 0 ||
		!text_is_utf8(span_of(value, n))) {
		return err_set(err, ERR_PKI_CLIENT,
			"the value of %.*s is empty, too long or not written as in RFC "
			"4514",
			SPAN_ARG(word));
	}
	if (!mint_name_add(name, nid, span_of(value, n))) {
		return ossl_err(err, ERR_PKI_CLIENT, "%.*s cannot have this value",
			SPAN_ARG(word));
	}
	return true;
}

X509_NAME *
client_name_parse(struct span text, struct err *err)
{
	AUTO(X509_NAME) *name = X509_NAME_new();
	struct span rest = span_trim(text);

	if (!name || rest.n >= CLIENT_TEXT) {
		err_set(err, ERR_PKI_CLIENT, "a subject of %zu octets", rest.n);
		return NULL;
	}
	while (rest.n > 0) {
		if (X509_NAME_entry_count(name) >= ATTRIBUTES) {
			err_set(err, ERR_PKI_CLIENT, "a subject of many attributes");
			return NULL;
		}
		if (!take_attribute(&rest, name, err))
			return NULL;
	}
	return KEEP(name);
}

/* ---- back to text ---- */

static void
put_escaped(struct text *t, struct span value)
{
	for (size_t i = 0; i < value.n; i++) {
		uint8_t c = value.p[i];
		bool edge = (i == 0 || i + 1 == value.n) && c == ' ';
		if (c < 0x20 || c == 0x7f) {
			text_add(t, "\\%02x", c);
		} else {
			text_add(t, "%s%c", is_special(c) || edge ? "\\" : "", c);
		}
	}
}

static const struct span *
word_of(const ASN1_OBJECT *type)
{
	int nid = OBJ_obj2nid(type);

	for (size_t i = 0; i < COUNT_OF(attributes); i++) {
		if (attributes[i].nid == nid)
			return &attributes[i].word;
	}
	return NULL;
}

static bool
put_entry(struct text *t, const X509_NAME_ENTRY *e)
{
	const struct span *word = word_of(X509_NAME_ENTRY_get_object(e));
	AUTO_OCTETS *utf8 = NULL;
	int n = word ? ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e)) : -1;

	if (n <= 0 || n > VALUE_MAX)
		return false;
	struct span value = span_of(utf8, (size_t)n);
	if (span_chr(value, 0) < value.n || !text_is_utf8(value))
		return false;
	text_add(t, "%s%.*s=", t->n > 0 ? "," : "", SPAN_ARG(*word));
	put_escaped(t, value);
	return true;
}

bool
client_name_text(struct span name, char dst[CLIENT_TEXT])
{
	const unsigned char *p = name.p;
	AUTO(X509_NAME) *parsed = d2i_X509_NAME(NULL, &p, (long)name.n);
	struct text t = text_to(dst, CLIENT_TEXT);
	int last_set = -1;

	if (!parsed || p != name.p + name.n ||
		X509_NAME_entry_count(parsed) > ATTRIBUTES)
		return false;
	for (int i = 0; i < X509_NAME_entry_count(parsed); i++) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(parsed, i);
		if (X509_NAME_ENTRY_set(e) == last_set || !put_entry(&t, e))
			return false;
		last_set = X509_NAME_ENTRY_set(e);
	}
	return !t.cut;
}

/* ---- subjectAltName ---- */

static bool
is_visible(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	}
	return s.n > 0;
}

/* RFC 5321 §4.1.2 as far as everybody agrees: no quotes, a DNS name behind the '@'. */
static bool
is_email(struct span s)
{
	size_t at = span_rchr(s, '@');

	return is_visible(s) && at > 0 && at < s.n && at <= 64 &&
		span_chr(s, '@') == at && span_chr(s, '"') == s.n &&
		names_is_dns(span_from(s, at + 1), false);
}

/* RFC 3986 §3.1: a scheme, then something. */
static bool
is_uri(struct span s)
{
	size_t colon = span_chr(s, ':');

	if (!is_visible(s) || colon == 0 || colon + 1 >= s.n || !ascii_is_alpha(s.p[0]))
		return false;
	for (size_t i = 0; i < colon; i++) {
		uint8_t c = s.p[i];
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
			span_chr(SPAN("+-."), c) == 3)
			return false;
	}
	return true;
}

static bool
is_dns(struct span s)
{
	return names_is_dns(s, true);
}

static const struct san_kind {
	struct span word;
	int type; /* OpenSSL's, which is the tag's number */
	bool (*is_good)(struct span s);
} san_kinds[] = {
	{SPAN_INIT("email:"), GEN_EMAIL, is_email},
	{SPAN_INIT("dns:"), GEN_DNS, is_dns},
	{SPAN_INIT("uri:"), GEN_URI, is_uri},
};

static bool
push_string(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
	AUTO(GENERAL_NAME) *name = GENERAL_NAME_new();

	if (!name) {
		ASN1_STRING_free(value);
		return false;
	}
	GENERAL_NAME_set0_value(name, type, value);
	if (!sk_GENERAL_NAME_push(names, name))
		return false;
	(void)KEEP(name); /* names owns it now */
	return true;
}

static bool
push_bytes(GENERAL_NAMES *names, int type, struct span value)
{
	int kind = type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING;
	AUTO(ASN1_STRING) *s = ASN1_STRING_type_new(kind);

	/* At most CLIENT_TEXT octets. */
	return s && ASN1_STRING_set(s, value.p, (int)value.n) == 1 &&
		push_string(names, type, KEEP(s));
}

bool
client_name_add_san(GENERAL_NAMES *names, struct span text, struct err *err)
{
	struct ip ip;

	if (text.n < CLIENT_TEXT && span_starts(text, SPAN("ip:")) &&
		ip_parse(span_from(text, 3), &ip)) {
		return push_bytes(names, GEN_IPADD, span_of(ip.bytes, ip_size(&ip))) ||
			ossl_err(err, ERR_PKI_CLIENT, "adding an address");
	}
	for (size_t i = 0; i < COUNT_OF(san_kinds) && text.n < CLIENT_TEXT; i++) {
		const struct san_kind *k = &san_kinds[i];
		struct span value = span_from(text, k->word.n);
		if (!span_starts(text, k->word) || !k->is_good(value))
			continue;
		return push_bytes(names, k->type, value) ||
			ossl_err(err, ERR_PKI_CLIENT, "adding a name");
	}
	return err_set(err, ERR_PKI_CLIENT,
		"\"%.*s\" is none of email: dns: uri: ip: with such a name",
		SPAN_ARG(span_first(text, 80)));
}

bool
client_san_text(unsigned tag, struct span value, char dst[CLIENT_TEXT])
{
	struct text t = text_to(dst, CLIENT_TEXT);
	char buf[IP_TEXT];
	struct ip ip;

	if (tag == DER_CHOICE + GEN_IPADD && ip_from_bytes(value, &ip)) {
		text_add(&t, "ip:%s", ip_text(buf, &ip));
		return !t.cut;
	}
	for (size_t i = 0; i < COUNT_OF(san_kinds); i++) {
		const struct san_kind *k = &san_kinds[i];
		if (tag != DER_CHOICE + (unsigned)k->type || !k->is_good(value))
			continue;
		text_add(&t, "%.*s%.*s", SPAN_ARG(k->word), SPAN_ARG(value));
		return !t.cut;
	}
	return false;
}

/* ---- templates ---- */

static struct span
find_word(const struct client_words *w, struct span word, bool *known)
{
	*known = true;
	if (span_eq(word, SPAN("name")))
		return w->name;
	if (span_eq(word, SPAN("label")))
		return w->label;
	if (span_eq(word, SPAN("id")))
		return w->id;
	*known = false;
	return (struct span){0};
}

/* One {word}, of which the '{' was taken. */
static bool
fill_word(struct text *t, struct span *rest, const struct client_words *w, bool escape)
{
	size_t close = span_chr(*rest, '}');
	bool known = false;
	struct span value = find_word(w, span_first(*rest, close), &known);

	if (!known || close == rest->n || value.n == 0)
		return false;
	if (escape) {
		put_escaped(t, value);
	} else {
		text_put(t, value);
	}
	*rest = span_from(*rest, close + 1);
	return true;
}

static bool
fill(struct text *t, struct span rest, const struct client_words *w, bool escape,
	struct err *err)
{
	while (rest.n > 0) {
		size_t open = span_chr(rest, '{');
		text_put(t, span_first(rest, open));
		if (open == rest.n)
			break;
		rest = span_from(rest, open + 1);
		if (!fill_word(t, &rest, w, escape)) {
			return err_set(err, ERR_PKI_CLIENT,
				"{%.*s cannot be filled in: {name}, {label} and {id} "
				"are known",
				SPAN_ARG(span_first(rest, 40)));
		}
	}
	return !t->cut || err_set(err, ERR_PKI_CLIENT, "a name is too long");
}

bool
client_fill_subject(char dst[CLIENT_TEXT], struct span template,
	const struct client_words *words, struct err *err)
{
	struct text t = text_to(dst, CLIENT_TEXT);
	return fill(&t, template, words, true, err);
}

bool
client_fill_san(char dst[CLIENT_TEXT], struct span template,
	const struct client_words *words, struct err *err)
{
	struct text t = text_to(dst, CLIENT_TEXT);
	return fill(&t, template, words, false, err);
}
