// SPDX-License-Identifier: Apache-2.0
/*
 * verdict_list: every class a verdict on a peer's certificate can have. No include
 * guard: it is read many times.
 *
 * To add one: VERDICT(NAME, "id", "Sentence for people.") before OTHER. Ids are
 * forever: they are configuration words, event codes and page texts.
 */
VERDICT(GOOD, "good", "The certificate is valid for this name.")
VERDICT(UNKNOWN_ISSUER, "unknown-issuer",
	"The certificate was issued by an authority that is not trusted.")
VERDICT(SELF_SIGNED, "self-signed", "The certificate vouches only for itself.")
VERDICT(INCOMPLETE, "incomplete-chain",
	"The server did not send the certificates that lead to a trusted authority.")
VERDICT(EXPIRED, "expired", "A certificate is past its last day.")
VERDICT(NOT_YET, "not-yet-valid", "A certificate is not valid yet.")
VERDICT(WRONG_NAME, "wrong-name", "The certificate was issued for other names.")
VERDICT(REVOKED, "revoked", "The issuer has revoked a certificate.")
VERDICT(REVOCATION_UNKNOWN, "revocation-unknown",
	"Whether a certificate was revoked could not be learned, and it must be.")
VERDICT(WEAK_KEY, "weak-key", "A key is too weak to be trusted.")
VERDICT(WEAK_SIGNATURE, "weak-signature",
	"A signature uses a method that is too weak to be trusted.")
VERDICT(BAD_SIGNATURE, "bad-signature",
	"A signature does not match: the certificate was altered or is forged.")
VERDICT(CA_VIOLATION, "ca-violation",
	"An authority in the chain was not allowed to issue this certificate.")
VERDICT(WRONG_USE, "wrong-use", "The certificate was not issued for servers.")
VERDICT(MALFORMED, "malformed", "A certificate breaks the rules of its own format.")
VERDICT(BLOCKED, "blocked",
	"A key in the chain is known to be compromised or distrusted.")
VERDICT(OWN_AUTHORITY, "own-authority",
	"The server shows a certificate of this gateway's own authority.")
VERDICT(CT_MISSING, "ct-missing",
	"The certificate was not shown to enough public transparency logs.")
VERDICT(OLD_TLS, "old-tls", "The server speaks only versions of TLS that are too old.")
VERDICT(TOO_COMPLEX, "too-complex",
	"The certificates sent would take more work to verify than is allowed.")
VERDICT(OTHER, "other", "The certificate could not be verified.")
