// One GET with one of net/http's limits: prints the seconds it took, and which limit ended it.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	setting, url, ca := os.Args[1], os.Args[2], os.Args[4]
	limit, err := time.ParseDuration(os.Args[3] + "s")
	if err != nil {
		panic(err)
	}
	dialer := &net.Dialer{Timeout: 30 * time.Second}
	transport := &http.Transport{TLSClientConfig: &tls.Config{}, TLSHandshakeTimeout: 10 * time.Second}
	client := &http.Client{Transport: transport}
	switch setting {
	case "Client.Timeout":
		client.Timeout = limit
	case "Dialer.Timeout":
		dialer.Timeout = limit
	case "TLSHandshakeTimeout":
		transport.TLSHandshakeTimeout = limit
	case "ResponseHeaderTimeout":
		transport.ResponseHeaderTimeout = limit
	}
	transport.DialContext = dialer.DialContext
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			panic(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(text)
		transport.TLSClientConfig.RootCAs = roots
	}
	began := time.Now()
	response, err := client.Get(url)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
	}
	took := time.Since(began).Seconds()
	said := ""
	if err != nil {
		said = err.Error()
		for _, part := range []string{"Client.Timeout", "TLS handshake timeout", "awaiting response headers", "i/o timeout"} {
			if strings.Contains(said, part) {
				said = part
				break
			}
		}
	}
	fmt.Println(took, said)
}
