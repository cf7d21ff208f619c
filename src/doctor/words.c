// SPDX-License-Identifier: Apache-2.0
#include "doctor/words.h"

#include <stdlib.h>

static const char *const sentences[WORD_COUNT][2] = {
	[WORD_WHY] = {"why", "理由"},
	[WORD_FIX] = {"fix", "対処"},
	[WORD_CHECK] = {"check", "確認"},
	[WORD_TRAP] = {"mind", "注意"},
	[WORD_ALSO] = {"also", "ほか"},
	[WORD_HIDDEN] =
		{"The text does not tell the exact reason; this is the likeliest.",
			"この文だけでは正確な理由はわかりません。最も可能性の高いものを"
			"示します。"},
	[WORD_NOTHING] = {"Nothing here is known to be a TLS failure.",
		"TLSの失敗として知られている文はありません。"},
	[WORD_MORE_THAN_ONE] =
		{"The text shows more than one failure; this is the last.",
			"複数の失敗があります。最後のものを示します。"},
	[WORD_NEAR] = {"near", "類似"},
	[WORD_PROBE] = {"To find the reason", "理由を調べるには"},
	[WORD_FILES] = {"ORG.pem is the organisation's CA, BUNDLE.pem the public CAs "
			"and it "
			"together; `sekisho doctor apply` makes both.",
		"ORG.pem は組織のCA、BUNDLE.pem は公開CAとそれを合わせたものです。"
		"`sekisho doctor apply` が両方を作ります。"},
	[WORD_NEVER_OFF] =
		{"Never switch verification off, and do not carry these settings to "
		 "production or customers.",
			"検証を無効にせず、この設定を本番や顧客の環境に持ち込まないでく"
			"ださい。"},
};

static const char *const os_store[2] = {
	"add the CA to the OS store (sudo cp ORG.pem "
	"/usr/local/share/ca-certificates/org.crt "
	"&& sudo update-ca-certificates)",
	"OSのストアにCAを追加 (sudo cp ORG.pem "
	"/usr/local/share/ca-certificates/org.crt "
	"&& sudo update-ca-certificates)",
};

static const char *const any_client[2] = {
	"{os} ;; then, if the program has a list of its own, its own setting: name the "
	"program "
	"with --client",
	"{os} ;; 独自のCA一覧を持つプログラムならその設定: --client でプログラムを指定",
};

static bool
language_of(const char *tag, enum language *out)
{
	struct span s = span_str(tag);
	if (span_starts(s, SPAN("ja"))) {
		*out = JAPANESE;
	} else if (span_starts(s, SPAN("en")) || span_starts(s, SPAN("C")) ||
		span_starts(s, SPAN("POSIX"))) {
		*out = ENGLISH;
	} else {
		return false;
	}
	return true;
}

bool
words_language(const char *asked, enum language *out)
{
	if (asked)
		return language_of(asked, out);
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	*out = ENGLISH;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *value = getenv(names[i]);
		if (value && value[0])
			return language_of(value, out) || true; /* a third: English */
	}
	return true;
}

const char *
words_say(const struct class_row *c, enum language l)
{
	return l == JAPANESE ? c->say_ja : c->say_en;
}

const char *
words_why(const struct class_row *c, enum language l)
{
	return l == JAPANESE ? c->why_ja : c->why_en;
}

const char *
words_get(enum word w, enum language l)
{
	return sentences[w][l];
}

/* Copies s; " ;; " ends a line, {os} becomes the sentence on the store. */
static void
put_lines(struct text *t, struct span s, enum language l)
{
	while (s.n > 0) {
		if (span_starts(s, SPAN(" ;; "))) {
			text_add(t, "\n");
			s = span_from(s, 4);
		} else if (span_starts(s, SPAN("{os}"))) {
			text_add(t, "%s", os_store[l]);
			s = span_from(s, 4);
		} else {
			text_put(t, span_first(s, 1));
			s = span_from(s, 1);
		}
	}
}

void
words_fix(struct text *t, const struct class_row *c, const struct client_row *client,
	enum language l)
{
	struct span fix = span_str(l == JAPANESE ? c->fix_ja : c->fix_en);
	size_t ca = span_find(fix, SPAN("{ca}"));

	put_lines(t, span_first(fix, ca), l);
	if (ca < fix.n) {
		put_lines(t, span_str(client ? client->give : any_client[l]), l);
		put_lines(t, span_from(fix, ca + 4), l);
	}
	text_add(t, "\n");
}
