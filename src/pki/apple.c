// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"
#include "pki/apple_priv.h"

enum { IDENTITY_ROOM = 256 * 1024, PURPOSE_ROOT = 1, PURPOSE_ALL = 2, PURPOSE_WHO = 3 };

/* Names are ours to choose and yet go into XML. */
static void
put_xml(struct text *t, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '<':
			text_add(t, "&lt;");
			break;
		case '>':
			text_add(t, "&gt;");
			break;
		case '&':
			text_add(t, "&amp;");
			break;
		default: /* any other octet stands for itself */
			text_add(t, "%c", *s);
			break;
		}
	}
}

static void
put_uuid(struct text *t, const uint8_t hash[APPLE_HASH], uint8_t purpose)
{
	uint8_t u[16];

	for (size_t i = 0; i < sizeof u; i++)
		u[i] = hash[i];
	u[0] ^= purpose;
	u[6] = (uint8_t)((u[6] & 0x0f) | 0x80); /* RFC 9562 §5.8: of our own making */
	u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof u; i++) {
		text_put_hex(t, span_of(&u[i], 1), true);
		text_add(t, i == 3 || i == 5 || i == 7 || i == 9 ? "-" : "");
	}
}

/* What every payload and the whole have. */
struct keys {
	const char *name;
	const char *kind;
	const uint8_t *hash;
	uint8_t purpose;
};

static void
put_keys(struct text *t, const struct keys *k)
{
	text_add(t, "<key>PayloadDisplayName</key><string>");
	put_xml(t, k->name);
	text_add(t, "</string>\n<key>PayloadIdentifier</key><string>sekisho.%s.",
		k->kind);
	text_put_hex(t, span_of(k->hash, 8), false);
	text_add(t, "</string>\n<key>PayloadUUID</key><string>");
	put_uuid(t, k->hash, k->purpose);
	text_add(t, "</string>\n<key>PayloadVersion</key><integer>1</integer>\n");
}

/* One payload whose content is octets. */
static void
put_payload(struct text *t, const struct keys *k, const char *type, struct span content)
{
	text_add(t,
		"<dict>\n<key>PayloadCertificateFileName</key><string>sekisho.%s</"
		"string>\n<key>PayloadContent</key><data>\n",
		span_eq(span_str(k->kind), SPAN("identity")) ? "p12" : "crt");
	text_put_base64(t, content);
	text_add(t, "\n</data>\n<key>PayloadType</key><string>%s</string>\n", type);
	put_keys(t, k);
	text_add(t, "</dict>");
}

static void
put_head(struct text *t)
{
	text_add(t,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
		"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
		"<plist version=\"1.0\"><dict>\n"
		"<key>PayloadContent</key><array>");
}

static void
put_tail(struct text *t, const struct keys *k)
{
	text_add(t, "</array>\n<key>PayloadType</key><string>Configuration</string>\n");
	put_keys(t, k);
	text_add(t, "<key>PayloadRemovalDisallowed</key><false/>\n</dict></plist>\n");
}

void
apple_write_root(struct text *t, const char *name, struct span der,
	const uint8_t hash[APPLE_HASH])
{
	const struct keys root = {name, "root", hash, PURPOSE_ROOT};
	const struct keys all = {name, "profile", hash, PURPOSE_ALL};

	put_head(t);
	put_payload(t, &root, "com.apple.security.root", der);
	put_tail(t, &all);
}

bool
apple_write_identity(
	const struct apple_identity *who, struct span *out, struct err *err)
{
	const struct keys identity = {who->name, "identity", who->hash, PURPOSE_WHO};
	const struct keys root = {who->name, "root", who->hash, PURPOSE_ROOT};
	const struct keys all = {who->name, "profile", who->hash, PURPOSE_ALL};
	char *buf = mem_alloc(IDENTITY_ROOM);
	struct text t = text_to(buf, IDENTITY_ROOM);

	put_head(&t);
	put_payload(&t, &identity, "com.apple.security.pkcs12", who->pkcs12);
	put_payload(&t, &root, "com.apple.security.root", who->root);
	put_tail(&t, &all);
	if (t.cut) {
		secret_wipe(buf, IDENTITY_ROOM);
		mem_free(buf);
		return err_set(err, ERR_PKI_CLIENT, "the identity is too large");
	}
	*out = text_span(&t);
	return true;
}
