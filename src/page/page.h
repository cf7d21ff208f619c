// SPDX-License-Identifier: Apache-2.0
/*
 * page: what people read when the gateway itself answers.
 *
 * A pure function from facts to a response: head and body, in the form and language
 * that the request likes: HTML without scripts, JSON, or plain text; any language that
 * web/pages has a .txt of. Whatever came from outside is escaped where it stands, and
 * only there. The templates and texts lie in web/pages/ and are carried in the program;
 * an organisation gives its own name, contact, logo and sentences by page_style.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/ip.h"
#include "http/msg.h"

enum page_kind {
	PAGE_BLOCKED,   /* a rule said no */
	PAGE_PROMPT,    /* a rule asks to think twice; continue_to is set */
	PAGE_UNTRUSTED, /* the origin could not prove who it is; verdict is set */
	PAGE_ERROR,     /* it did not work; code says why */
};

/* One certificate of the origin's chain, as text. */
struct page_cert {
	struct span subject;
	struct span issuer;
	struct span not_before;
	struct span not_after;
	struct span sha256; /* hex */
};

/* What the page tells. Empty spans are left out. All are borrowed for the call. At a
 * site strangers are not told what was seen behind it, nor names of rules. */
struct page_facts {
	enum page_kind kind;
	bool at_site; /* an edge says it, in the site's name: to strangers */
	unsigned status;
	enum err_code code;  /* the reason code */
	struct span verdict; /* id of the verdict's class, as in verdict_list.h */
	struct span reason;  /* what the rule's author says to people */
	struct span detail;  /* what was seen, in English */
	struct span rule;    /* name of the rule */
	struct span gateway; /* name of the gateway */
	struct span method;
	struct span host;
	struct span path;        /* with query */
	struct span continue_to; /* path of the link that continues (PAGE_PROMPT) */
	uint64_t request;        /* id, 0 for none */
	int64_t wall_ms;
	struct ip client;
	const struct page_cert *chain; /* leaf first */
	size_t n_chain;
};

/* Sentences of the organisation in one language, in the form of web/pages/en.txt; they
 * win over ours. */
struct page_texts {
	struct span language; /* "en" */
	struct span texts;
};

struct page_style {
	struct span organisation; /* shown in the corner; empty: "sekisho" */
	struct span contact;      /* whom to ask, as text */
	struct span contact_url;  /* https: or mailto: */
	struct span logo;      /* octets of a PNG or SVG, at most 32 KiB; empty: ours */
	struct span logo_type; /* "image/png" or "image/svg+xml" */
	struct span accent;    /* "#1f4d7a"; empty: ours */
	struct span reasons_url; /* reason codes are explained at this + the code */
	const struct page_texts *texts;
	size_t n_texts;
};

/* Octets a page takes of the arena, at most. */
enum { PAGE_ROOM = 96 * 1024 };

/* Where a page is made, and what comes of it. */
struct page_answer {
	struct arena *arena;             /* everything made lies in it */
	const struct page_style *style;  /* NULL: ours */
	const struct http_head *request; /* NULL: none was read; the defaults */
	struct http_head *response;      /* made anew, its body's length set */
	struct span body;
};

/*
 * Makes the whole response: status, Content-Type, -Language, Cache-Control: no-store, a
 * policy that allows no script, the reason and request id as fields of their own. When
 * the arena has less room than PAGE_ROOM it is plain text. False only when the head
 * cannot be made.
 */
MUST_USE bool page_make(
	struct page_answer *to, const struct page_facts *facts, struct err *err);

/* What `http://sekisho.internal/` says of the authority. */
struct page_status {
	struct span gateway;
	struct span root_name; /* subject of the root */
	struct span root_pem;
	struct span root_der;
	struct span root_sha256; /* hex */
	struct span crl;         /* DER; empty: there is none */
	struct span not_after;
	struct span node_name;
	struct span version;
	struct ip client;
};

/* The status page and the downloads below it, by the request's path: /, /ca.pem,
 * /ca.crt (DER), /ca.mobileconfig, /ca.crl; anything else is a 404 page. */
MUST_USE bool page_status_make(
	struct page_answer *to, const struct page_status *status, struct err *err);

/* Language tags in order, NULL at the end: for the manual and tests. */
const char *page_language(size_t i);
