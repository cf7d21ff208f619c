// SPDX-License-Identifier: Apache-2.0

// The key protocol as a Go program speaks it: both ends, with crypto/tls as it comes.
//
//	keyless serve CA CERT KEY ADDRESS KEYFILE...    prints the address, serves until killed
//	keyless ask   CA CERT KEY HOST:PORT NAME CERTFILE...
//
// The server takes TLS 1.2 at most and two suites; both ends write head and body of a
// message by themselves, pad to 1024, and go their own way with a goroutine per request.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

const (
	tagSKI, tagOp, tagPayload, tagPadding = 0x04, 0x11, 0x12, 0x20
	opResponse, opPing, opPong, opError   = 0xf0, 0xf1, 0xf2, 0xff
)

type message struct {
	id    uint32
	items map[byte][]byte
}

func (m message) op() byte {
	if len(m.items[tagOp]) == 1 {
		return m.items[tagOp][0]
	}
	return 0
}

func read(r io.Reader) (m message, err error) {
	var head [8]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return
	}
	body := make([]byte, binary.BigEndian.Uint16(head[2:]))
	if _, err = io.ReadFull(r, body); err != nil {
		return
	}
	m = message{binary.BigEndian.Uint32(head[4:]), map[byte][]byte{}}
	for len(body) >= 3 {
		tag, n := body[0], int(binary.BigEndian.Uint16(body[1:]))
		if len(body) < 3+n {
			return m, errors.New("an item runs past the body")
		}
		if _, twice := m.items[tag]; twice {
			return m, errors.New("a tag came twice")
		}
		m.items[tag] = body[3 : 3+n]
		body = body[3+n:]
	}
	return
}

func item(body []byte, tag byte, value []byte) []byte {
	body = append(body, tag, byte(len(value)>>8), byte(len(value)))
	return append(body, value...)
}

// Two writes, so two records.
func write(w io.Writer, lock *sync.Mutex, id uint32, op byte, payload, ski []byte) error {
	body := item(nil, tagOp, []byte{op})
	if len(payload) > 0 {
		body = item(body, tagPayload, payload)
	}
	if len(ski) > 0 {
		body = item(body, tagSKI, ski)
	}
	if len(body)+8 < 1024 {
		zeros := 1024 - 8 - len(body) - 3
		if zeros < 0 {
			zeros = 0
		}
		body = item(body, tagPadding, make([]byte, zeros))
	}
	head := []byte{1, 0, byte(len(body) >> 8), byte(len(body)), 0, 0, 0, 0}
	binary.BigEndian.PutUint32(head[4:], id)
	lock.Lock()
	defer lock.Unlock()
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

func skiOf(pub crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(pub)
	check(err)
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	_, err = asn1.Unmarshal(der, &info)
	check(err)
	sum := sha1.Sum(info.Key.Bytes)
	return string(sum[:])
}

func hashOf(op byte) crypto.Hash {
	return [8]crypto.Hash{2: crypto.MD5SHA1, 3: crypto.SHA1, 4: crypto.SHA224, 5: crypto.SHA256,
		6: crypto.SHA384, 7: crypto.SHA512}[op&7]
}

func optionsOf(op byte) crypto.SignerOpts {
	if op == 0x18 {
		return crypto.Hash(0)
	}
	if op >= 0x35 && op <= 0x37 {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hashOf(op)}
	}
	return hashOf(op)
}

// ---- the serving end ----

func answer(conn net.Conn, lock *sync.Mutex, keys map[string]crypto.Signer, m message) {
	op, payload := m.op(), m.items[tagPayload]
	refuse := func(code byte) { check(write(conn, lock, m.id, opError, []byte{code}, nil)) }
	switch {
	case op == opPing:
		_ = write(conn, lock, m.id, opPong, payload, nil)
	case op == 0x18, op >= 2 && op <= 7, op >= 0x12 && op <= 0x17, op >= 0x35 && op <= 0x37:
		key := keys[string(m.items[tagSKI])]
		if key == nil {
			refuse(2)
			return
		}
		signature, err := key.Sign(rand.Reader, payload, optionsOf(op))
		if err != nil {
			refuse(1)
			return
		}
		_ = write(conn, lock, m.id, opResponse, signature, nil)
	default:
		refuse(5)
	}
}

func serveConn(conn net.Conn, keys map[string]crypto.Signer) {
	var lock sync.Mutex
	defer conn.Close()
	for {
		m, err := read(conn)
		if err != nil {
			if err != io.EOF {
				fmt.Fprintln(os.Stderr, "serve:", err)
			}
			return
		}
		go answer(conn, &lock, keys, m)
	}
}

func serve(config *tls.Config, address string, files []string) {
	keys := map[string]crypto.Signer{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		block, _ := pem.Decode(text)
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		check(err)
		signer := key.(crypto.Signer)
		keys[skiOf(signer.Public())] = signer
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.MaxVersion = tls.VersionTLS12
	config.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
	listener, err := tls.Listen("tcp", address, config)
	check(err)
	fmt.Println(listener.Addr())
	for {
		conn, err := listener.Accept()
		check(err)
		go serveConn(conn, keys)
	}
}

// ---- the asking end ----

type question struct {
	what  string
	op    byte
	input []byte
	ski   []byte
	cert  *x509.Certificate
	code  byte // of the error to come; 0: a signature that verifies
}

func verify(q question, got []byte) error {
	options := optionsOf(q.op)
	switch key := q.cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(key, q.input, got) {
			return errors.New("the ECDSA signature is wrong")
		}
	case ed25519.PublicKey:
		if !ed25519.Verify(key, q.input, got) {
			return errors.New("the Ed25519 signature is wrong")
		}
	case *rsa.PublicKey:
		if pss, ok := options.(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(key, pss.Hash, q.input, got, pss)
		}
		return rsa.VerifyPKCS1v15(key, options.HashFunc(), q.input, got)
	}
	return nil
}

func questionsOf(cert *x509.Certificate) (all []question) {
	ski := []byte(skiOf(cert.PublicKey))
	add := func(code byte, ops ...byte) {
		for _, op := range ops {
			n := 100
			if op != 0x18 {
				n = hashOf(op).Size()
			}
			input := make([]byte, n)
			_, _ = rand.Read(input)
			all = append(all, question{fmt.Sprintf("%v 0x%02x", cert.PublicKeyAlgorithm, op), op, input, ski, cert, code})
		}
	}
	switch cert.PublicKeyAlgorithm {
	case x509.RSA:
		add(0, 4, 5, 6, 7, 0x35, 0x36, 0x37)
		add(1, 0x15, 0x18)
	case x509.ECDSA:
		add(0, 0x14, 0x15, 0x16, 0x17)
		add(1, 5, 0x35, 0x18)
	case x509.Ed25519:
		add(0, 0x18)
		add(1, 5, 0x15)
	}
	return all
}

func judge(q question, m message) error {
	payload := m.items[tagPayload]
	switch {
	case q.op == opPing && m.op() == opPong && string(payload) == string(q.input):
		return nil
	case q.code != 0 && m.op() == opError && len(payload) == 1 && payload[0] == q.code:
		return nil
	case q.code == 0 && m.op() == opResponse:
		return verify(q, payload)
	}
	return fmt.Errorf("answered 0x%02x %x", m.op(), payload)
}

func ask(config *tls.Config, address, name string, files []string) {
	config.ServerName = name
	conn, err := tls.Dial("tcp", address, config)
	check(err)
	questions := []question{{what: "ping", op: opPing, input: []byte("Hello!")},
		{what: "long ping", op: opPing, input: make([]byte, 65528)}, {what: "empty ping", op: opPing},
		{what: "unknown key", op: 0x15, input: make([]byte, 32), ski: make([]byte, 20), code: 2},
		{what: "rpc", op: 0x23, input: []byte("x"), code: 5}, {what: "custom", op: 0x24, code: 5},
		{what: "activate", op: 0xf3, code: 5}, {what: "answer", op: 0xf0, code: 6}}
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(err)
		block, _ := pem.Decode(text)
		cert, err := x509.ParseCertificate(block.Bytes)
		check(err)
		for i := 0; i < 20; i++ {
			questions = append(questions, questionsOf(cert)...)
		}
	}
	var lock sync.Mutex
	go func() {
		for i, q := range questions {
			check(write(conn, &lock, uint32(i), q.op, q.input, q.ski))
		}
	}()
	seen := map[uint32]bool{}
	for range questions {
		m, err := read(conn)
		check(err)
		if int(m.id) >= len(questions) || seen[m.id] {
			check(fmt.Errorf("an answer to %d", m.id))
		}
		seen[m.id] = true
		if err := judge(questions[m.id], m); err != nil {
			check(fmt.Errorf("%s: %w", questions[m.id].what, err))
		}
	}
	fmt.Printf("%d answers, TLS 0x%04x\n", len(questions), conn.ConnectionState().Version)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	check(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	pair, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
	check(err)
	config := &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, ClientCAs: pool}
	if os.Args[1] == "serve" {
		serve(config, os.Args[5], os.Args[6:])
	} else {
		ask(config, os.Args[5], os.Args[6], os.Args[7:])
	}
}
