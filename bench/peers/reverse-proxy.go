// Go's httputil.ReverseProxy behind CONNECT and TLS, with one header replaced: a yardstick of the benchmark.
//
// usage: reverse-proxy PORT CERT KEY CA AUTHORIZATION
package main

import (
	"crypto/tls"
	"crypto/x509"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
)

// A listener of what CONNECT has left.
type tunnels struct {
	net.Listener
	connections chan net.Conn
}

func (t tunnels) Accept() (net.Conn, error) {
	return <-t.connections, nil
}

func main() {
	port, certFile, keyFile, caFile, authorization := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	identity, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		log.Fatal(err)
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)

	proxy := &httputil.ReverseProxy{
		Director: func(request *http.Request) {
			request.URL.Scheme = "https"
			request.URL.Host = request.Host
			request.Header.Set("Authorization", authorization)
		},
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: roots},
			MaxIdleConnsPerHost: 256,
			DisableCompression:  true,
		},
	}

	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	intercepted := tunnels{listener, make(chan net.Conn)}
	go func() {
		log.Fatal(http.Serve(intercepted, proxy))
	}()
	config := &tls.Config{Certificates: []tls.Certificate{identity}}
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		if request.Method != http.MethodConnect {
			http.Error(answer, "CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		connection, _, err := answer.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		connection.Write([]byte("HTTP/1.1 200 Connection Established\r\n\r\n"))
		intercepted.connections <- tls.Server(connection, config)
	})))
}
