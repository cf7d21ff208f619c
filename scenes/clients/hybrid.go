// SPDX-License-Identifier: Apache-2.0

// hybrid PROXY HOST:PORT CA: one handshake through a proxy with the shares that Go offers by itself
// since 1.24, of X25519MLKEM768 and X25519; a request; then the version agreed on.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

const x25519mlkem768 = 0x11ec

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	raw, err := net.Dial("tcp", os.Args[1])
	must(err)
	host, _, err := net.SplitHostPort(os.Args[2])
	must(err)
	fmt.Fprintf(raw, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", os.Args[2], os.Args[2])
	_, err = http.ReadResponse(bufio.NewReaderSize(raw, 16), &http.Request{Method: "CONNECT"})
	must(err)
	pem, err := os.ReadFile(os.Args[3])
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	secure := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: host,
		CurvePreferences: []tls.CurveID{x25519mlkem768, tls.X25519}})
	must(secure.Handshake())
	fmt.Fprintf(secure, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host)
	body, err := io.ReadAll(secure)
	must(err)
	fmt.Printf("%x %d\n", secure.ConnectionState().Version, len(body))
}
