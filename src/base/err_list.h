// SPDX-License-Identifier: Apache-2.0
/*
 * err_list: every failure a user can meet. No include guard: it is read many times.
 *
 * To add one: ERR(NAME, "room.what", "Sentence of what we saw.", "Hint what to do.") in
 * its room's part. An id is forever: logs, pages, scripts and the manual hold it. The
 * sentence ends in a full stop; the hint is an imperative, or "" where nothing helps.
 */

/* base */
ERR(USAGE, "cli.usage", "The command line was not understood.",
	"Run the command with --help.")
ERR(SYSTEM, "system.call", "The operating system refused a request.",
	"Read the reason at the end of the line; it is the system's own.")
ERR(FILE_READ, "file.read", "A file could not be read.",
	"Check that the path is right and that the user sekisho runs as may read it.")
ERR(FILE_WRITE, "file.write", "A file could not be written.",
	"Check free space and that the user sekisho runs as may write there.")
ERR(FILE_NOT_PRIVATE, "file.not-private",
	"A secret file can be read or changed by others.",
	"Give it to the user sekisho runs as, with mode 0400 or 0600.")
ERR(FILE_TOO_LARGE, "file.too-large", "A file is larger than its limit.",
	"Split it, or raise the limit.")
ERR(JSON, "json.syntax", "The text is not valid JSON.",
	"Look at the given line and column.")

/* keyless */
ERR(KEYLESS_WIRE, "keyless.wire", "A peer broke the key protocol.",
	"Check that the other end speaks the key protocol, and its version.")
ERR(KEYLESS_BROKEN, "keyless.broken", "The connection to the key server was lost.",
	"Look at the key server's log; with two servers a handshake would survive "
	"this.")
ERR(KEYLESS_LATE, "keyless.late", "The key server did not answer in time.",
	"Compare the key server's load and the network's delay with the deadline.")
ERR(KEYLESS_REFUSED, "keyless.refused", "The key server refused the operation.",
	"Read the reason given; the key server's own log says more than it tells the "
	"edge.")
ERR(KEYLESS_BUSY, "keyless.busy", "Too many operations wait for the key server.",
	"Add key servers, or look for the reason why they are slow.")
ERR(KEYLESS_NO_SERVER, "keyless.no-server", "No key server can be reached.",
	"Check addresses and certificates with `sekisho key test`.")
ERR(KEYLESS_KEY, "keyless.key", "A private key cannot be served.",
	"RSA needs 2048 bits or more; curves are P-256, P-384, P-521 and Ed25519.")
ERR(KEYLESS_SERVER, "keyless.server", "The key server's certificate is not good.",
	"It must come from the key servers' CA and have the name that is dialled.")
ERR(KEYLESS_CLIENT, "keyless.client", "A client of the key server is not allowed in.",
	"Its certificate must come from the key server's client CA and be named by a policy.")
ERR(KEYLESS_TICKETS, "keyless.tickets", "The secret of session tickets could not be had.",
	"Sessions begun meanwhile are resumed by this node only. Its key must be RSA or Ed25519, "
	"and the key server must allow it to this node.")
ERR(KEYLESS_SETUP, "keyless.setup", "The key server's set-up is incomplete.",
	"`sekisho key init` makes a working set.")

/* http */
ERR(HTTP_SYNTAX, "http.syntax", "A message is not valid HTTP.",
	"The sender is at fault; `sekisho log` shows which side it was.")
ERR(HTTP_FRAMING, "http.framing", "A message's length can be read in two ways.",
	"This is how requests are smuggled; the sender must send one framing only.")
ERR(HTTP_HOST, "http.host", "The host of a request is missing, doubled or not valid.",
	"A request names exactly one host: a DNS name or an address, and perhaps a port.")
ERR(HTTP_TARGET, "http.target", "The request target is not valid.",
	"Percent-encode what is not visible ASCII; a target has no fragment.")
ERR(HTTP_TARGET_TOO_LONG, "http.target-too-long", "The request target is too long.",
	"Send long values in the body.")
ERR(HTTP_TOO_LARGE, "http.too-large", "The head of a message is too large.",
	"Look for cookies that grow; the limit is a setting.")
ERR(HTTP_VERSION, "http.version", "The version of HTTP is not one we speak.",
	"HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken.")
ERR(HTTP_CODING, "http.coding", "A transfer coding is not one we speak.",
	"Only chunked is spoken; content codings are another thing and pass.")
ERR(HTTP_TRUNCATED, "http.truncated", "The connection ended within a message.",
	"What was received is not complete; try again.")
ERR(HTTP_UNASKED, "http.unasked", "The origin answered something it was not asked.",
	"The origin's connection was closed; its server should be looked at.")
ERR(H2_PROTOCOL, "h2.protocol", "A peer broke the rules of HTTP/2.",
	"The sender is at fault; `sekisho log` shows which side it was.")
ERR(H2_FLOOD, "h2.calm", "A peer sent too much that means nothing.",
	"If it is one of yours, see what it does on idle connections; else it is an attack.")
ERR(H2_RESET, "h2.reset", "A stream was reset.", "")
ERR(H2_REFUSED, "h2.refused", "A stream was refused before anything was done with it.",
	"It is safe to try again.")
ERR(H2_NEEDS_H1, "h2.needs-h1", "The origin wants this request over HTTP/1.1.",
	"It is tried again so; no action is needed.")
ERR(H2_CLOSED, "h2.closed", "The connection of a stream has ended.", "")
ERR(HTTP_UPGRADE, "http.upgrade", "The origin did not switch protocols as it was asked.",
	"Whether it takes WebSockets at this address is for its operator to say.")
ERR(H2_STALLED, "h2.stalled", "A stream was ended because its client took nothing.",
	"The client can ask again; the limit is `stall-timeout`.")
ERR(HTTP_UNWRITABLE, "http.unwritable", "A message cannot be said in the other version.",
	"What cannot be translated exactly is refused rather than guessed.")

/* net */
ERR(NET_LISTEN, "net.listen", "A port could not be opened.",
	"Look whether another program has it, and whether this user may open ports below 1024.")
ERR(NET_NAME_UNKNOWN, "net.name-unknown", "The name does not exist or has no address.",
	"Check the spelling; ask the name server directly with `dig NAME`.")
ERR(NET_NAME_FAILED, "net.name-failed", "The name servers gave no usable answer.",
	"Check that the servers in resolv.conf or the configuration can be reached.")
ERR(NET_RESOLVER, "net.resolver", "The resolver could not be started.",
	"Check the list of name servers in the configuration.")
ERR(NET_UNREACHABLE, "net.unreachable", "No address of the host could be reached.",
	"Read what each address said; check routes and packet filters.")
ERR(NET_REFUSED, "net.refused", "The host refused the connection.",
	"It is up, and nothing listens on that port: check the port, or the server there.")
ERR(NET_TIMEOUT, "net.timeout", "The host did not accept a connection in time.",
	"Check routes and packet filters, or allow more time.")
ERR(NET_FORBIDDEN, "net.forbidden", "Connections to this address are not allowed.",
	"If it is meant to be reached, allow its prefix in the configuration.")
ERR(NET_ENDED, "net.ended", "The other end closed the connection.", "")
ERR(NET_IPC, "net.ipc", "A message between our processes was malformed.",
	"Restart sekisho; if it happens again, report it.")

/* pki */
ERR(PKI_KEY, "pki.key", "A key could not be read or made.",
	"PEM or PKCS#8 is read; P-256, P-384, Ed25519 and RSA from 2048 bits are known.")
ERR(PKI_PASSPHRASE, "pki.passphrase", "A key is encrypted and the passphrase is missing or wrong.",
	"Give the passphrase by a file descriptor or a systemd credential.")
ERR(PKI_TOKEN, "pki.token", "A key in a PKCS#11 token cannot be used.",
	"`pkcs11-tool --module FILE -O` lists what is there; the vault needs the module's files in its "
	"`pkcs11` block.")
ERR(PKI_CERT, "pki.certificate", "A certificate could not be read.",
	"Look at it with `openssl x509 -text` or `sekisho verify`.")
ERR(PKI_DELEGATED, "pki.delegated", "A delegated credential cannot be made.",
	"The certificate needs digitalSignature and the DelegationUsage extension of RFC 9345 "
	"(1.3.6.1.4.1.44363.44).")
ERR(PKI_CLIENT_CA, "pki.client-ca", "The authority for client certificates is not usable.",
	"`sekisho client init` makes one; give its directory with --dir.")
ERR(PKI_CSR, "pki.csr", "A certificate request was refused.",
	"PKCS#10 is read, PEM or DER, signed by its own key: P-256, P-384, Ed25519, RSA 2048 to 4096.")
ERR(PKI_CLIENT, "pki.client", "A client certificate could not be issued or changed.",
	"`sekisho client list` shows what there is.")
ERR(PKI_REGISTER, "pki.register", "The register of client certificates could not be used.",
	"Look at register.db in the authority's directory: rights, free space, another writer.")
ERR(PKI_CHAIN, "pki.chain", "A list of certificates could not be read.",
	"PEM text with at least one CERTIFICATE is needed, at most 64 and 256 KiB.")
ERR(PKI_IDENTITY, "pki.identity", "Certificate and key do not make an identity.",
	"The first certificate must be the leaf, and the key its own.")
ERR(PKI_NO_KEY, "pki.no-key", "A certificate is named, and its private key is nowhere.",
	"Name the key's file behind the word `key`, or put the key into the same file.")
ERR(PKI_AUTHORITY, "pki.authority", "The certificate authority is not usable.",
	"`sekisho ca show` lists what is there; `sekisho ca init` makes a new one.")
ERR(PKI_FACTS, "pki.facts", "A request for a leaf certificate states impossible facts.", "")
ERR(PKI_MINT, "pki.mint", "A leaf certificate could not be made.",
	"Look at the node CA's dates with `sekisho ca show`.")
ERR(PKI_ROOTS, "pki.roots", "The trusted roots could not be loaded.",
	"Install the ca-certificates package, or name a PEM file of roots.")
ERR(PKI_CRL, "pki.crl", "A certificate revocation list could not be used.", "")
ERR(PKI_OCSP, "pki.ocsp", "An OCSP response proves nothing.", "")
ERR(PKI_CT, "pki.ct", "A list of transparency logs could not be read.",
	"It is the JSON form that log list operators publish.")
ERR(PKI_STORE, "pki.store", "A trust store of the system could not be changed.",
	"Run as the user who owns it; the tools named in the line must be installed.")

/* gate */
ERR(POLICY_RULE, "policy.rule", "A rule cannot be understood.", "Look at the marked place.")
ERR(POLICY_ACTION, "policy.action", "A rule asks for an action in a form we do not know.",
	"The actions and their arguments are in docs/configuration.md.")
ERR(POLICY_LISTEN, "policy.listen", "A listener cannot be set up as written.",
	"Name an address with a port, and a gateway that exists.")
ERR(GATE_SELF, "gate.self", "The destination is this program itself.",
	"Ask for another destination; a loop would never end.")
ERR(GATE_ADDRESS, "gate.address", "The destination's address may not be reached through here.",
	"If it should be, add it to `reach { allow … }` of the gateway.")
ERR(GATE_PORT, "gate.port", "The destination's port may not be reached through here.",
	"If it should be, add it to `reach { ports … }` of the gateway.")

/* conf */
ERR(CONF_SYNTAX, "conf.syntax", "The configuration cannot be read as statements.",
	"A statement is words, then a block in braces, a semicolon or the line's end.")
ERR(CONF_EXPR, "conf.expression", "A rule's condition does not end where it should.",
	"Write: rule NAME when CONDITION do ACTION")
ERR(CONF_WORD, "conf.word", "A word is not known here.",
	"docs/configuration.md lists the words of each block.")
ERR(CONF_VALUE, "conf.value", "A value is not of the kind that is wanted.",
	"docs/configuration.md tells the form and the limits of each value.")
ERR(CONF_TWICE, "conf.twice", "Something is said twice that can only be said once.",
	"Keep one of them.")
ERR(CONF_MISSING, "conf.missing", "Something that is needed is missing.", "Add it.")
ERR(CONF_INCLUDE, "conf.include", "A file cannot be included.",
	"The path is relative to the file that includes it.")
ERR(CONF_RULE, "conf.rule", "A rule's condition cannot be understood.",
	"docs/rules.md describes the language.")

/* tls */
ERR(TLS_HELLO, "tls.hello", "The client's first message is malformed.",
	"The client or something before it speaks no proper TLS; look who sent it.")
ERR(TLS_PROFILE, "tls.profile", "A TLS setting cannot be used.",
	"Check versions and cipher names against `openssl ciphers -v`.")
ERR(TLS_IDENTITY, "tls.identity", "A certificate and its key cannot be presented.",
	"Check that they belong together and that the key is 2048 bits RSA or P-256 and up.")
ERR(TLS_HANDSHAKE, "tls.handshake", "The TLS handshake failed.",
	"Read the reason at the end of the line; both sides must share a version and a cipher.")
ERR(TLS_ALERT, "tls.alert", "The other side ended TLS with an alert.",
	"The alert's name says why the other side would not go on.")
ERR(TLS_TRUNCATED, "tls.truncated", "The connection ended without TLS saying so.",
	"What was received may not be complete.")
ERR(TLS_RECORD, "tls.record", "A TLS record could not be read.",
	"It was damaged or forged on the way.")
ERR(TLS_REMOTE, "tls.remote", "The key that lives elsewhere gave no signature.",
	"Check the key server: reachable, has the key, may be asked.")
ERR(TLS_REMOTE_LIED, "tls.remote-lied", "The key server answered with a wrong signature.",
	"It holds another key than the certificate's, or something between alters answers.")

/* event */
ERR(EVENT_RECORD, "event.record", "An event's record is malformed.",
	"All processes must run the same version; restart sekisho.")
ERR(EVENT_STORE, "event.store", "The store of events cannot be used.",
	"Check the path, its owner and free space; a gateway that runs goes on without it.")
ERR(EVENT_SINK, "event.sink", "A sink for events cannot be used.",
	"Check what the configuration says behind `events`.")
ERR(EVENT_FILTER, "event.filter", "The filter cannot be understood.",
	"docs/events.md lists the fields, docs/rules.md the operators.")
ERR(GATE_TARGET, "gate.target", "The request does not say where it should go in a form we accept.",
	"Ask with CONNECT host:port for https, or with an absolute http:// URL.")
ERR(GATE_MISDIRECTED, "gate.misdirected",
	"The request is for another host than the one this connection was opened to.",
	"Open a connection to that host; the client usually does so by itself.")
ERR(GATE_BLOCKED, "gate.blocked", "A rule of this network does not allow this.",
	"If you need it, tell your administrator the rule's name and the request's number.")
ERR(GATE_UNTRUSTED, "gate.untrusted", "The site could not prove that it is what it claims to be.",
	"Do not send it anything. If the site is yours, have its certificate put right.")
ERR(GATE_NOT_TLS, "gate.not-tls", "What came is not TLS, which is wanted here.",
	"To an edge say https://; after CONNECT `non-tls tunnel` in the gateway lets it pass.")
ERR(GATE_PROTOCOL, "gate.protocol", "The client speaks no protocol that can be inspected.",
	"Let it pass with a rule that does bypass.")
ERR(GATE_CROWD, "gate.crowd", "The client has as many connections open as one client may.",
	"End some, or raise `client-connections`; many people behind one address count as one.")
ERR(GATE_CLIENT_SLOW, "gate.client-slow", "The client took too long.", "")
ERR(GATE_ORIGIN_SLOW, "gate.origin-slow", "The site took too long.", "Try again later.")
ERR(GATE_ORIGIN_GONE, "gate.origin-gone", "The site ended the connection before it had answered.",
	"Try again; if it stays so, ask the site's operator.")
ERR(POLICY_SITE, "policy.site", "A site of the edge cannot be served as it is written.",
	"docs/edge.md shows what a site needs; `sekisho check` names the line.")
ERR(GATE_UNKNOWN_SITE, "gate.unknown-site", "No site has this name.",
	"Check the name asked for, or let `unknown-name` point at a default site.")
ERR(GATE_MINT, "gate.mint", "No certificate could be made for the client.",
	"Look at the vault's lines in the log.")
ERR(GATE_DRAINED, "gate.drained", "The gateway was restarted or told to stop.", "Connect again.")
ERR(NET_RESET, "net.reset", "The connection was reset.", "Try again.")
ERR(GATE_PROXY_HEADER, "gate.proxy-header", "The balancer's PROXY protocol header is missing or malformed.",
	"Make it send the header, or take its address out of `proxy-protocol`.")

/* rule */
ERR(RULE_SYNTAX, "rule.syntax", "A rule's expression cannot be understood.",
	"Look at the marked place; docs/rules.md has the language.")
ERR(RULE_PHASE, "rule.phase", "A rule asks for something that is known too late for its action.",
	"Use another field, or an action that can still be taken then.")
ERR(RULE_ADVICE, "rule.advice", "A rule loads, and may not do what was meant.",
	"Change it, or leave it if it is meant as it stands; docs/rules.md lists the advice.")
ERR(RULE_LIST, "rule.list", "A list cannot be read.",
	"Look at the given line of the file; the list as it was stays in use.")
ERR(RULE_CASES, "rule.cases", "A file of expected verdicts cannot be understood.",
	"docs/rules.md shows the form; see `sekisho test --help`.")
ERR(RULE_IMPORT, "rule.import", "The rules of another product cannot be read.",
	"Give the file as its API or its tool exports it.")
ERR(GATE_NOT_FOUND, "gate.not-found", "The gateway has no such page.",
	"Begin at http://sekisho.internal/.")

/* proc */
ERR(PROC_USER, "proc.user", "The user to run as cannot be used.",
	"Create it (`useradd --system --no-create-home sekisho`), or name another with `user`.")
ERR(PROC_DATA, "proc.data", "The directory for what is kept cannot be written.",
	"Give it to the user that the processes become, or name another with `data`.")
ERR(PROC_STARTUP, "proc.startup", "A process of the new generation did not come up.",
	"Read what it said; the generation before, if there is one, goes on.")
ERR(PROC_BUSY, "proc.busy", "Another reload is under way.", "Wait until it has ended.")
ERR(PROC_CONTROL, "proc.control", "The control socket could not be used.",
	"Check that sekisho runs, and that this user may use its control socket.")
ERR(GATE_FETCH, "gate.fetch",
	"What is needed to verify a certificate could not be fetched.",
	"Look at the address in the line; only public http addresses are asked, see `fetch-allow`.")
ERR(VAULT_RATE, "vault.rate", "A worker asked for more certificates than it may.",
	"If this is ordinary traffic, raise `mint { rate }`; otherwise look at the worker.")
ERR(VAULT_NAME, "vault.name", "A worker asked for a certificate for a name that is not its to show.",
	"See `mint { only }` and `mint { never }` of the gateway; a worker that asks all the same may be owned.")
ERR(GATE_PROMPT, "gate.prompt", "This network asks you to think twice before you go on.",
	"Go on with the link of the page if you are sure.")

/* doctor: trust settings of other programs */
ERR(DOCTOR_TOOL, "doctor.tool", "The doctor does not know this tool, or it is not here.",
	"`sekisho doctor show` lists the tools it found; --all shows every one it knows.")
ERR(DOCTOR_CA, "doctor.ca", "The organisation's certificate cannot be used.",
	"`sekisho doctor ca list` shows what is here; name a file with --ca.")
ERR(DOCTOR_PEM, "doctor.pem", "A file of certificates is not in good form.",
	"Export the certificate again as PEM, or let `sekisho doctor apply` write a clean file.")
ERR(DOCTOR_EDIT, "doctor.edit", "A setting cannot be changed by a small change of its file.",
	"Change the line by hand; `sekisho doctor show` says what it should be.")
ERR(DOCTOR_CHANGED, "doctor.changed", "A file was changed by others since.",
	"Look at the file; `sekisho doctor undo --merge` takes back only our own setting.")
ERR(DOCTOR_JOURNAL, "doctor.journal", "The journal of changes cannot be used.",
	"Without it nothing is changed; see $XDG_STATE_HOME/sekisho/doctor.")
ERR(DOCTOR_RUN, "doctor.run", "A program of the system could not be run.",
	"Install it, or run the line that was printed by hand.")
/* edge */
ERR(GATE_RATE, "gate.rate", "Too many requests were made in too short a time.",
	"Wait as long as Retry-After says, then go on more slowly.")
ERR(GATE_NOT_STORED, "gate.not-stored", "The answer is not stored here, and only a stored one was asked for.",
	"Ask again without Cache-Control: only-if-cached.")
ERR(GATE_BUSY, "gate.busy", "The origins of the site have as much to do as they are allowed to.",
	"Try again in a moment; `limit` of the site says how much that is.")
ERR(GATE_TOO_LARGE, "gate.too-large", "The message is larger than this site allows.",
	"`request-size` and `response-size` of the site say how large one may be.")
ERR(GATE_CACHE, "gate.cache", "The memory for the cache cannot be had.",
	"Check `cache` and its size; a file for it needs a directory that can be written.")
ERR(PROC_UPGRADE, "proc.upgrade", "The new program could not take over.",
	"The old one goes on. Check that the new binary runs: sekisho check FILE.")
