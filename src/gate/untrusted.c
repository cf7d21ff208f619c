// SPDX-License-Identifier: Apache-2.0
#include "gate/untrusted.h"

static const struct conf_choice actions[] = {
	{"block", UNTRUSTED_BLOCK, "Answer with a page that says what is wrong."},
	{"prompt", UNTRUSTED_PROMPT,
		"Warn by a page; whoever insists may go on for a while, with this "
		"very certificate."},
	{"mirror", UNTRUSTED_MIRROR,
		"Show the client an equally broken certificate, issued by an authority "
		"nobody trusts: it warns in its own way, or gives up."},
	{"allow", UNTRUSTED_ALLOW, "Go on, and log it."},
	{0},
};

static const struct conf_choice class_actions[] = {
	{"block", UNTRUSTED_BLOCK, NULL},
	{"prompt", UNTRUSTED_PROMPT, NULL},
	{"mirror", UNTRUSTED_MIRROR, NULL},
	{"allow", UNTRUSTED_ALLOW, NULL},
	{"default", UNTRUSTED_AS_DEFAULT, "As the block's own line says."},
	{0},
};

static const struct conf_row args[] = {
	{"action", CONF_CHOICE, CONF_AT(struct untrusted, action), .preset = "block",
		.choices = actions, .help = "For every class not named in the block."},
};

#define CLASS(word, class, what)                                                    \
	{                                                                           \
		word, CONF_CHOICE, CONF_AT(struct untrusted, of[VERDICT_##class]),  \
			.preset = "default", .choices = class_actions, .help = what \
	}
/* To give a class an action of its own, add a row; without one it is `other`. */
static const struct conf_row words[] = {
	CLASS("unknown-issuer", UNKNOWN_ISSUER, "No trusted root is above it."),
	CLASS("self-signed", SELF_SIGNED, "It vouches for itself."),
	CLASS("incomplete-chain", INCOMPLETE,
		"A certificate between it and a root was neither sent nor found."),
	CLASS("expired", EXPIRED, "Its time is over."),
	CLASS("not-yet-valid", NOT_YET, "Its time has not come."),
	CLASS("wrong-name", WRONG_NAME, "It is for another name."),
	CLASS("revoked", REVOKED, "Its issuer took it back."),
	CLASS("revocation-unknown", REVOCATION_UNKNOWN,
		"Whether it was revoked could not be learned, and must be."),
	CLASS("weak-key", WEAK_KEY, "A key is too weak."),
	CLASS("weak-signature", WEAK_SIGNATURE,
		"It is signed in a way that is too weak."),
	CLASS("ca-violation", CA_VIOLATION,
		"An authority was not allowed to issue it."),
	CLASS("ct-missing", CT_MISSING, "Too few transparency logs have seen it."),
	CLASS("old-tls", OLD_TLS,
		"The origin speaks only versions of TLS below `min-version`; anything "
		"but `block` lets TLS 1.0 and 1.1 be tried."),
	CLASS("other", OTHER, "Anything else that is wrong with it."),
	{"consent-time", CONF_DURATION, CONF_AT(struct untrusted, consent_ms),
		.preset = "1h", .min = 60000, .max = 2592000000,
		.help = "After `prompt`: whoever insists may go on for so long."},
};

const struct conf_table untrusted_block = {
	.help = "What is done about origins whose certificate is not good. Several "
		"faults in one chain get the strictest of their actions.",
	.size = sizeof(struct untrusted),
	CONF_ARGS_OF(args),
	CONF_WORDS_OF(words),
};

const char *
untrusted_word(enum untrusted_action action)
{
	static const char *const names[] = {
		[UNTRUSTED_ALLOW] = "allow",
		[UNTRUSTED_MIRROR] = "mirror",
		[UNTRUSTED_PROMPT] = "prompt",
		[UNTRUSTED_BLOCK] = "block",
		[UNTRUSTED_BYPASS] = "bypass",
		[UNTRUSTED_AS_DEFAULT] = "default",
	};
	return names[action];
}

enum untrusted_action
untrusted_find(struct span word)
{
	for (enum untrusted_action a = UNTRUSTED_BLOCK; a < UNTRUSTED_AS_DEFAULT; a++) {
		if (span_eq(word, span_str(untrusted_word(a))))
			return a;
	}
	return UNTRUSTED_AS_DEFAULT;
}

static bool has_word(enum verdict_class class)
{
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (words[i].offset ==
			CONF_AT(struct untrusted, of) + (size_t) class * sizeof(int))
			return true;
	}
	return false;
}

enum untrusted_action
untrusted_of(const struct untrusted *u, enum verdict_class class)
{
	int action = u->of[has_word(class) ? class : VERDICT_OTHER];

	return (enum untrusted_action)(
		action == UNTRUSTED_AS_DEFAULT ? u->action : action);
}

bool
untrusted_is_hopeless(const struct verdict *v)
{
	return (v->faults & (1u << VERDICT_BLOCKED | 1u << VERDICT_OWN_AUTHORITY)) != 0;
}

enum untrusted_action
untrusted_choose(const struct untrusted *u, const struct verdict *v)
{
	enum untrusted_action strictest = UNTRUSTED_ALLOW;

	if (untrusted_is_hopeless(v))
		return UNTRUSTED_BLOCK;
	for (unsigned i = 0; i < VERDICT_COUNT; i++) {
		if (!(v->faults >> i & 1) || i == VERDICT_GOOD)
			continue;
		enum untrusted_action a = untrusted_of(u, (enum verdict_class)i);
		strictest = a < strictest ? a : strictest;
	}
	return strictest;
}
