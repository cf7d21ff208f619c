// SPDX-License-Identifier: Apache-2.0
/*
 * wire: the key protocol's messages, as bytes and as values.
 *
 * One codec for the vault in the next process and for key servers elsewhere: an 8-octet
 * header (version, body length, identifier), then items of tag, length, value. No
 * magic, no negotiation; a client speaks first. Strict where a second reading would be
 * dangerous (known tags once, values inside the body), lenient where other programs are
 * (unknown tags, order, padding, one or two octets left over).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"

enum {
	WIRE_HEAD = 8,
	WIRE_BODY_MAX = 65535,
	WIRE_MESSAGE_MAX = WIRE_HEAD + WIRE_BODY_MAX,
	WIRE_PAYLOAD_MAX =
		WIRE_BODY_MAX - 7, /* opcode item, payload's tag and length */
	WIRE_PAD_TO = 1024,        /* whole messages shorter than this look alike */
	WIRE_MAJOR = 1,
	WIRE_SKI = 20,
	WIRE_DIGEST = 32,
};

enum wire_tag {
	WIRE_TAG_DIGEST = 0x01,
	WIRE_TAG_NAME = 0x02,
	WIRE_TAG_CLIENT_IP = 0x03,
	WIRE_TAG_SKI = 0x04,
	WIRE_TAG_SERVER_IP = 0x05,
	WIRE_TAG_CERT_ID = 0x06,
	WIRE_TAG_OP = 0x11,
	WIRE_TAG_PAYLOAD = 0x12,
	WIRE_TAG_FUNCTION = 0x13,
	WIRE_TAG_EXTRA = 0x14,
	WIRE_TAG_TRACE = 0x15,
	WIRE_TAG_CONTEXT = 0x16,
	WIRE_TAG_REGION = 0x17,
	WIRE_TAG_PADDING = 0x20,
};

enum wire_op {
	WIRE_NO_OP = 0x00,
	WIRE_RSA_DECRYPT = 0x01,
	WIRE_RSA_MD5SHA1 = 0x02,
	WIRE_RSA_SHA1 = 0x03,
	WIRE_RSA_SHA224 = 0x04,
	WIRE_RSA_SHA256 = 0x05,
	WIRE_RSA_SHA384 = 0x06,
	WIRE_RSA_SHA512 = 0x07,
	WIRE_RSA_RAW_LEGACY = 0x08, /* the first C server only; our edge may send it */
	WIRE_ECDSA_MD5SHA1 = 0x12,
	WIRE_ECDSA_SHA1 = 0x13,
	WIRE_ECDSA_SHA224 = 0x14,
	WIRE_ECDSA_SHA256 = 0x15,
	WIRE_ECDSA_SHA384 = 0x16,
	WIRE_ECDSA_SHA512 = 0x17,
	WIRE_ED25519 = 0x18,
	WIRE_SEAL = 0x21,
	WIRE_UNSEAL = 0x22,
	WIRE_RPC = 0x23,
	WIRE_CUSTOM = 0x24,
	WIRE_PSS_SHA256 = 0x35,
	WIRE_PSS_SHA384 = 0x36,
	WIRE_PSS_SHA512 = 0x37,
	/* The vault's own. They are in no mask that a listener can be given. */
	WIRE_MINT = 0xa0,     /* payload: leaf facts (pki/leaf.h); answer: the chain */
	WIRE_LEAFKEYS = 0xa1, /* today's leaf keys, with their private halves */
	WIRE_CHAIN = 0xa2,    /* an authority's certificates */
	WIRE_CRL = 0xa3,      /* its list of what it took back; DER */
	WIRE_DAYKEY = 0xa4,   /* payload: a day's number (4); answer: its secret */
	WIRE_RESPONSE = 0xf0,
	WIRE_PING = 0xf1,
	WIRE_PONG = 0xf2,
	WIRE_ERROR = 0xff,
};

/* The one octet of an error answer. */
enum wire_error {
	WIRE_OK = 0,
	WIRE_CRYPTO = 1,
	WIRE_NO_KEY = 2,
	WIRE_READ = 3,
	WIRE_VERSION = 4,
	WIRE_BAD_OP = 5,
	WIRE_UNEXPECTED_OP = 6,
	WIRE_MALFORMED = 7,
	WIRE_INTERNAL = 8, /* also: too busy */
	WIRE_NO_CERT = 9,
	WIRE_EXPIRED = 10,
	WIRE_REMOTE = 11, /* the key is elsewhere and cannot be reached */
};

/* Absent and empty are the same. Spans point into the buf it was read from, or to what
 * the writer of a message gave; who keeps them alive is said where one is taken. */
struct wire_msg {
	uint32_t id;
	uint8_t op;         /* enum wire_op, or what a peer sent; 0 when absent */
	uint8_t region;     /* compliance region, 0 when absent */
	struct span ski;    /* 20 octets or empty; all zero counts as empty */
	struct span digest; /* 32 octets or empty */
	struct span name;   /* SNI of the TLS client */
	struct ip client_ip;
	struct ip server_ip;
	struct span cert_id;
	struct span payload;
	struct span function; /* name for WIRE_CUSTOM */
	struct span extra;
	struct span trace;
	struct span context; /* JSON */
};

enum wire_got {
	WIRE_WANTS_MORE, /* no whole message yet */
	WIRE_GOT,    /* *msg is a message of `used` octets at the front of the buf */
	WIRE_ALIEN,  /* other major version: only msg->id is set; it is skipped */
	WIRE_BROKEN, /* items unsound or body over the limit; msg->id is set: say 7,
			close */
};

struct wire_reader {
	size_t body_max; /* bodies longer than this are WIRE_BROKEN */
	size_t skip;     /* octets of a skipped body still to come */
};

/*
 * Looks at the front of `in` and never waits for more than one message; its limit must
 * hold WIRE_HEAD + body_max. After WIRE_GOT the caller buf_drop()s *used when it no
 * longer needs the spans, and calls again.
 */
enum wire_got wire_read(
	struct wire_reader *r, struct buf *in, struct wire_msg *msg, size_t *used);

/* Reads one body (what follows the header); false when it must end the connection. */
MUST_USE bool wire_read_body(struct span body, struct wire_msg *msg);

/* Octets that wire_write() would add, or 0 when the body cannot be expressed. */
MUST_USE size_t wire_size(const struct wire_msg *msg, bool padded);
/* Adds the message in the reference's order of items; false, and nothing added, when
 * there is no room or no way to say it. */
MUST_USE bool wire_write(struct buf *out, const struct wire_msg *msg, bool padded);

/* ---- what an operation is: one table, asked by both halves ---- */

enum wire_key { WIRE_KEY_NONE, WIRE_KEY_RSA, WIRE_KEY_EC, WIRE_KEY_ED25519 };

struct wire_op_row {
	uint8_t op;
	uint8_t key;     /* enum wire_key: the type it needs */
	uint8_t payload; /* octets it needs; 0: any number */
	bool sha1;       /* uses MD5 or SHA-1: off unless asked for */
	const char *name;
};

/* The row of a request's opcode, or NULL. */
const struct wire_op_row *wire_op_find(uint8_t op);
/* "ecdsa-sha256"; "unknown" for others. */
const char *wire_op_name(uint8_t op);
/* The opcode of a name, or WIRE_NO_OP. */
uint8_t wire_op_by_name(struct span name);
/* "key-not-found"; codes we do not know read as internal-error. */
const char *wire_error_name(uint8_t code);

/* The opcode for a TLS SignatureScheme (RFC 8446 §4.2.3), or WIRE_NO_OP. */
uint8_t wire_op_for_scheme(uint16_t scheme);

/* A set of operations. */
struct wire_mask {
	uint64_t bits[4];
};

void wire_mask_add(struct wire_mask *m, uint8_t op);
void wire_mask_drop(struct wire_mask *m, uint8_t op);
MUST_USE bool wire_mask_has(const struct wire_mask *m, uint8_t op);
/* Ping and every signature with SHA-256 or better: what a client may do unless told. */
struct wire_mask wire_mask_default(void);
/* What may ever be given to a client from outside: never the vault's own. */
struct wire_mask wire_mask_public(void);
struct wire_mask wire_mask_and(struct wire_mask a, struct wire_mask b);
