// SPDX-License-Identifier: Apache-2.0
/*
 * look_words: what look found, in sentences.
 */
#include "doctor/look.h"

/* id for JSON; sentence in each language; whether to act on it; whether it tells us
 * anything. To add a state: its row here, its name in look.h. */
static const struct {
	const char *id;
	const char *say[2];
	bool finding;
	bool answer;
} words[LOOK_STATES] = {
	[LOOK_PUBLIC] = {"not-inspected", {"not inspected", "検査されていません"},
		false, true},
	[LOOK_BYPASSED] = {"bypassed",
		{"not inspected: this host is bypassed, others are not",
			"検査されていません(このホストはバイパス、他は検査あり)"},
		false, true},
	[LOOK_INSPECTED] = {"inspected",
		{"inspected; the CA is installed here",
			"検査されています。CAはこの機械に入っています"},
		true, true},
	[LOOK_INSPECTED_UNTRUSTED] = {"inspected-untrusted",
		{"inspected, and the CA is not installed here",
			"検査されていますが、CAがこの機械に入っていません"},
		true, true},
	[LOOK_PRIVATE] = {"private",
		{"a private CA that is trusted here: a private service, or inspection; "
		 "ask for "
		 "unrelated hosts too",
			"この機械が信頼する私設CAです。社内サービスか検査かは、無関係な"
			"ホストとの比較で"
			"わかります"},
		true, true},
	[LOOK_UNKNOWN_ROOT] = {"unknown-root",
		{"a CA that nobody here knows: inspection without its CA installed, or "
		 "a private "
		 "service; compare the fingerprint",
			"知られていないCAです。CA未導入の検査か社内サービスです。指紋を"
			"照合してください"},
		true, true},
	[LOOK_SELF_SIGNED] = {"self-signed",
		{"the certificate signs itself", "証明書が自己署名です"}, true, true},
	[LOOK_WRONG_NAME] = {"wrong-name",
		{"somebody else answers: the certificate is for another name",
			"別の相手が応答しています(証明書の名前が違います)"},
		true, true},
	[LOOK_DATES] = {"dates",
		{"a certificate is out of its dates: the site's, the gateway's, or the "
		 "clock here",
			"証明書の期間外です("
			"サイト、ゲートウェイ、またはこの機械の時計)"},
		true, true},
	[LOOK_BROKEN] = {"broken",
		{"the chain cannot be accepted", "証明書チェーンを受け入れられません"},
		true, true},
	[LOOK_CAPTIVE] = {"captive",
		{"a login or block page answers instead of the host",
			"ホストの代わりに認証画面かブロック画面が応答しています"},
		true, true},
	[LOOK_REFUSED] = {"proxy-refused",
		{"the proxy refuses this host", "プロキシがこのホストを拒否しました"},
		true, true},
	[LOOK_FAILED] = {"handshake-failed",
		{"the TLS handshake failed", "TLSのハンドシェイクに失敗しました"}, true,
		true},
	[LOOK_UNREACHABLE] = {"unreachable",
		{"could not be reached", "接続できませんでした"}, false, false},
	[LOOK_LAUNDERED] = {"laundered",
		{"LAUNDERED: the gateway makes this bad host look good; tell its "
		 "operator",
			"危険: "
			"ゲートウェイがこの不正なホストを正常に見せています。運用者に知"
			"らせてください"},
		true, true},
	[LOOK_BAD_REFUSED] = {"bad-refused",
		{"bad, and the gateway refuses it with a page: right",
			"不正なホストで、ゲートウェイが画面で拒否しています("
			"正しい動作)"},
		false, true},
	[LOOK_BAD_SHOWN] = {"bad-shown",
		{"bad, and it looks bad: right",
			"不正なホストで、そのとおりに見えます(正しい動作)"},
		false, true},
	[LOOK_BAD_NOT_BAD] = {"bad-is-good",
		{"named as bad, but its certificate is good and public",
			"不正と指定されましたが、公開CAの正しい証明書です"},
		false, true},
};

const char *
look_id(enum look_state s)
{
	return words[s].id;
}

bool
look_is_finding(enum look_state s)
{
	return words[s].finding;
}

bool
look_is_answer(enum look_state s)
{
	return words[s].answer;
}

void
look_sentence(const struct look_host *h, enum language l, struct text *t)
{
	bool named = h->product && issuer_is_inspection(h->product) && !h->public_root;

	text_add(t, "%s", words[h->state].say[l]);
	if (named) {
		text_add(t, l == JAPANESE ? " (製品: %s)" : " (by %s)",
			h->product->product);
	}
}

static void
add(struct text *t, const char *what)
{
	text_add(t, "%s%s", t->n > 0 ? "; " : "", what);
}

void
look_differences(const struct look_host *h, enum language l, struct text *t)
{
	char leaf[LOOK_LINE];
	static const char *const lines[][2] = {
		{"no SCT", "SCTなし"},
		{"no OCSP or CA address", "OCSP・CAのアドレスなし"},
		{"no CRL", "CRLなし"},
		{"no ALPN", "ALPNなし"},
		{"TLS 1.2 only", "TLS 1.2まで"},
	};
	if (!h->judged)
		return;
	if (!h->scts)
		add(t, lines[0][l]);
	if (!h->aia)
		add(t, lines[1][l]);
	if (!h->crl)
		add(t, lines[2][l]);
	text_format(leaf, sizeof(leaf),
		l == JAPANESE ? "証明書は%lld日間、発行から%lld日"
			      : "leaf of %lld days, %lld old",
		(long long)h->leaf_days, (long long)h->leaf_age_days);
	add(t, leaf);
	if (!h->probe->alpn[0])
		add(t, lines[3][l]);
	if (span_eq(span_str(h->probe->version), SPAN("TLSv1.2")))
		add(t, lines[4][l]);
}
