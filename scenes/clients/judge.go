// SPDX-License-Identifier: Apache-2.0

// judge ROOT.pem (NAME CHAIN.pem)...: what Go thinks of each chain for its name.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

func read(path string) []*x509.Certificate {
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			fmt.Println(path, err)
			os.Exit(1)
		}
		all = append(all, one)
	}
	return all
}

func main() {
	roots := x509.NewCertPool()
	roots.AddCert(read(os.Args[1])[0])
	refused := 0
	for i := 2; i+1 < len(os.Args); i += 2 {
		chain := read(os.Args[i+1])
		between := x509.NewCertPool()
		for _, one := range chain[1:] {
			between.AddCert(one)
		}
		_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: os.Args[i]})
		if err != nil {
			fmt.Println(os.Args[i], err)
			refused++
		}
	}
	fmt.Println((len(os.Args)-2)/2-refused, "good")
	if refused > 0 {
		os.Exit(1)
	}
}
